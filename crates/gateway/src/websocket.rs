//! WebSocket below MQTT: frames to bytes and back. `upgrade` is how a connection comes to speak it.
//!
//! Payload is handed on as it comes, so that frames and messages of any size need no memory here; packets may begin and
//! end anywhere in them. Spec: RFC 6455; MQTT 6.0 (5.0), 6 (3.1.1): binary frames only.

pub mod fuzz;
pub(crate) mod upgrade;

use tidegate_broker::CloseReason;
use tidegate_ids::Monotonic;

/// Longest payload of a control frame. Spec: RFC 6455, 5.5.
const CONTROL_BYTES_MAX: usize = 125;
/// Longest frame header of a client: two bytes, the length in eight, the mask in four.
const HEADER_BYTES_MAX: usize = 14;

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;
const CONTINUATION: u8 = 0;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// The server's side of one WebSocket.
#[derive(Debug, Default)]
pub(crate) struct WebSocket {
    header: Vec<u8>,
    frame: Option<Frame>,
    /// Payload of a control frame so far.
    control: Vec<u8>,
    /// Whether a message has begun whose last fragment has not.
    in_message: bool,
    /// Set when nothing that comes counts any more.
    ended: Option<Ended>,
    close_sent: bool,
    /// When its connection has lasted as long as it may.
    over_at: Option<Monotonic>,
}

#[derive(Debug)]
struct Frame {
    opcode: u8,
    mask: [u8; 4],
    /// Payload bytes seen, and still to come.
    seen: usize,
    left: u64,
}

/// How the client's side of a WebSocket ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It said so.
    Closed,
    /// It broke the rules of WebSocket.
    Protocol,
    /// It sent text.
    Text,
}

impl WebSocket {
    /// It is over at this time, if ever.
    pub(crate) fn limit(&mut self, over_at: Option<Monotonic>) {
        self.over_at = over_at;
    }

    pub(crate) fn over_at(&self) -> Option<Monotonic> {
        self.over_at
    }

    /// Takes what the client sent. What it carries is appended to `payload`, answers to `answer`: a pong, which is never
    /// longer than what it answers, and the answer to a close. Of many pings in `bytes` the last one is answered, so that
    /// whoever floods gets one small frame for each read. Spec: RFC 6455, 5.5.3.
    ///
    /// # Errors
    /// No more can come. All that came before the end is in `payload`.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], payload: &mut Vec<u8>, answer: &mut Vec<u8>) -> Result<(), Ended> {
        let unanswered = answer.len();
        loop {
            if let Some(ended) = self.ended {
                return Err(ended);
            }
            if self.frame.is_none() {
                let Some((&first, rest)) = bytes.split_first() else { return Ok(()) };
                bytes = rest;
                self.header.push(first);
                match read_header(&self.header, self.in_message) {
                    Ok(None) => continue,
                    Ok(Some(frame)) => self.begin(frame),
                    Err(ended) => {
                        self.ended = Some(ended);
                        continue;
                    }
                }
            }
            let Some(frame) = &mut self.frame else { continue };
            let count = bytes.len().min(usize::try_from(frame.left).unwrap_or(usize::MAX));
            let target = if is_control(frame.opcode) { &mut self.control } else { &mut *payload };
            let (mask, seen) = (frame.mask, frame.seen);
            target.extend(bytes[..count].iter().enumerate().map(|(at, byte)| byte ^ mask[(seen + at) % 4]));
            bytes = &bytes[count..];
            frame.seen = (seen + count) % 4;
            frame.left -= count as u64;
            if frame.left > 0 {
                return Ok(());
            }
            let opcode = frame.opcode;
            self.frame = None;
            if opcode == PING {
                answer.truncate(unanswered);
            }
            self.end_frame(opcode, answer);
        }
    }

    fn begin(&mut self, frame: Frame) {
        if !is_control(frame.opcode) {
            self.in_message = self.header[0] & FIN == 0;
        }
        self.header.clear();
        self.frame = Some(frame);
    }

    fn end_frame(&mut self, opcode: u8, answer: &mut Vec<u8>) {
        match opcode {
            PING => write_frame(PONG, &self.control, answer),
            CLOSE => {
                // Spec: RFC 6455, 5.5.1, 7.4: the answer echoes the code; one byte is no code.
                let code = self.control.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
                let valid = match code {
                    None => self.control.is_empty(),
                    Some(code) => {
                        matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
                            && std::str::from_utf8(&self.control[2..]).is_ok()
                    }
                };
                self.ended = Some(if valid { Ended::Closed } else { Ended::Protocol });
                if valid {
                    self.close_sent = true;
                    write_frame(CLOSE, &self.control[..self.control.len().min(2)], answer);
                }
            }
            _ => {}
        }
        self.control.clear();
    }

    /// Writes `payload` as one binary frame.
    pub(crate) fn send(&self, payload: &[u8], out: &mut Vec<u8>) {
        write_frame(BINARY, payload, out);
    }

    /// Says that no more will come, unless that was said; the code is the client's own fault if there was one.
    pub(crate) fn close(&mut self, code: u16, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.close_sent, true) {
            return;
        }
        let code = match self.ended {
            Some(Ended::Protocol) => 1002,
            Some(Ended::Text) => 1003,
            Some(Ended::Closed) | None => code,
        };
        write_frame(CLOSE, &code.to_be_bytes(), out);
    }
}

/// The close code that goes with the end of a connection. Spec: RFC 6455, 7.4.1.
pub(crate) fn close_code(reason: CloseReason) -> u16 {
    match reason {
        CloseReason::Disconnect
        | CloseReason::DisconnectWithWill
        | CloseReason::ConnectionLost
        | CloseReason::KeepAliveTimeout
        | CloseReason::TakenOver
        | CloseReason::TimeOver
        | CloseReason::WebSocketOver
        | CloseReason::AdministrativeAction => 1000,
        CloseReason::ServerShuttingDown => 1001,
        CloseReason::ClientError(_)
        | CloseReason::NotAuthorized
        | CloseReason::PrincipalRefused
        | CloseReason::DoesNotRead
        | CloseReason::QuotaExceeded => 1008,
        CloseReason::ServerError => 1011,
    }
}

/// The frame that `header` begins; `None` while it is not whole. Asked after each byte, so that it is never too long.
fn read_header(header: &[u8], in_message: bool) -> Result<Option<Frame>, Ended> {
    debug_assert!(header.len() <= HEADER_BYTES_MAX, "a header is looked at after each of its bytes");
    let [first, second, rest @ ..] = header else { return Ok(None) };
    let (opcode, short) = (first & 0x0f, second & 0x7f);
    let control_fits = first & FIN != 0 && usize::from(short) <= CONTROL_BYTES_MAX;
    let known = match opcode {
        CONTINUATION => in_message,
        BINARY | 1 => !in_message,
        CLOSE | PING | PONG => control_fits,
        _ => false,
    };
    if first & 0x70 != 0 || second & MASKED == 0 || !known {
        return Err(Ended::Protocol);
    }
    if opcode == 1 {
        return Err(Ended::Text);
    }
    let length_bytes = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let Some((length, mask)) = rest.split_at_checked(length_bytes) else { return Ok(None) };
    let Some(mask) = mask.first_chunk::<4>() else { return Ok(None) };
    let long = length.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
    // Spec: RFC 6455, 5.2: the shortest form, and no more than 63 bits.
    let left = match short {
        126 if long >= 126 => long,
        127 if long > u64::from(u16::MAX) && long >> 63 == 0 => long,
        126 | 127 => return Err(Ended::Protocol),
        short => u64::from(short),
    };
    Ok(Some(Frame { opcode, mask: *mask, seen: 0, left }))
}

fn is_control(opcode: u8) -> bool {
    opcode & 8 != 0
}

/// A whole frame of the server's: not masked, not fragmented.
fn write_frame(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    out.push(FIN | opcode);
    match payload.len() {
        length @ 0..=125 => out.push(length as u8),
        length @ 126..=0xffff => {
            out.push(126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(payload);
}

#[cfg(test)]
mod tests;
