//! What a message carries so that its receiver can verify it: `{{mark}}` in a payload.

use std::io::Write;

/// Bytes of a mark: letters and digits, so that it may stand within a JSON string.
pub(crate) const MARK_BYTES: usize = PREFIX_BYTES + 8 + 8 + 12;
const PREFIX_BYTES: usize = 10;

/// Which message of which run, and when it was to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// One run of one fleet: messages of others are not ours to judge.
    pub(crate) run: u32,
    /// The publication of a device.
    pub(crate) stream: u32,
    /// Its messages, counted from 0.
    pub(crate) seq: u32,
    /// When the schedule wanted it sent, in microseconds after the start of the run: 48 bits.
    pub(crate) due_micros: u64,
}

impl Mark {
    /// Appends its text: `tg`, then run, stream, sequence number and time in hexadecimal digits.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let Self { run, stream, seq, due_micros } = self;
        write!(out, "tg{run:08x}{stream:08x}{seq:08x}{:012x}", due_micros & 0xFFFF_FFFF_FFFF)
            .expect("a vector takes all that is written");
    }

    /// The mark of `run` in a payload. `Err(true)`: there is one of another run.
    pub(crate) fn find(payload: &[u8], run: u32) -> Result<Self, bool> {
        let mut foreign = false;
        for (at, window) in payload.windows(MARK_BYTES).enumerate() {
            if window[0] != b't' || window[1] != b'g' {
                continue;
            }
            let number = |from: usize, digits: usize| hexadecimal(&payload[at + from..at + from + digits]);
            let all = (number(2, 8), number(10, 8), number(18, 8), number(26, 12));
            let (Some(found), Some(stream), Some(seq), Some(due_micros)) = all else { continue };
            if found == u64::from(run) {
                // Eight digits each.
                return Ok(Self { run, stream: stream as u32, seq: seq as u32, due_micros });
            }
            foreign = true;
        }
        Err(foreign)
    }
}

/// The value of lower-case hexadecimal digits, up to 16 of them.
fn hexadecimal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(value << 4 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: Mark = Mark { run: 0xDEAD_BEEF, stream: 7, seq: u32::MAX, due_micros: 1_234_567 };

    fn text(mark: Mark) -> Vec<u8> {
        let mut text = Vec::new();
        mark.write(&mut text);
        text
    }

    #[test]
    fn a_mark_is_found_wherever_it_stands() {
        assert_eq!(text(MARK).len(), MARK_BYTES);
        for (before, after) in [("", ""), (r#"{"mark":""#, r#"","t":21}"#), ("tgtgtg", "tg"), ("tgffff", "")] {
            let payload = [before.as_bytes(), &text(MARK), after.as_bytes()].concat();
            assert_eq!(Mark::find(&payload, MARK.run), Ok(MARK), "{before} {after}");
        }
    }

    #[test]
    fn no_mark_and_that_of_another_run_are_told_apart() {
        let other = text(Mark { run: 1, ..MARK });
        let cut = &text(MARK)[..MARK_BYTES - 1];
        let upper = text(MARK).to_ascii_uppercase();
        for (payload, foreign) in [(&b""[..], false), (b"21.5", false), (&other, true), (cut, false), (&upper, false)] {
            assert_eq!(Mark::find(payload, MARK.run), Err(foreign), "{}", String::from_utf8_lossy(payload));
        }
        assert_eq!(Mark::find(&[other, text(MARK)].concat(), MARK.run), Ok(MARK));
    }
}
