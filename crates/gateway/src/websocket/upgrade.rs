//! The HTTP request that turns a connection into a WebSocket, and its answer. Spec: RFC 6455, 4.2.

use std::borrow::Cow;

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use tidegate_sigv4::RequestParts;

use crate::http::{self, Head};

/// Where MQTT is. AWS: developer guide, "Device communication protocols".
pub(crate) const PATH: &str = "/mqtt";
/// What the client must offer one of. `mqttv3.1` is what old clients offer, whatever version they speak.
const SUBPROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];
const FORBIDDEN: &str = "403 Forbidden";
/// Spec: RFC 6455, 1.3.
const KEY_SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A request that does not become a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    status: &'static str,
    /// One more header line, with its end; or nothing.
    header: &'static str,
    /// What is wrong, for the client and the log.
    pub(crate) why: Cow<'static, str>,
}

impl Refused {
    const fn new(status: &'static str, why: &'static str) -> Self {
        Self { status, header: "", why: Cow::Borrowed(why) }
    }

    /// The client is nobody who may come in.
    pub(crate) fn forbidden(why: impl Into<Cow<'static, str>>) -> Self {
        Self { status: FORBIDDEN, header: "", why: why.into() }
    }

    /// Whether it is for who the client is, or is not.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.status == FORBIDDEN
    }

    /// The whole answer.
    pub(crate) fn response(&self) -> String {
        let Self { status, header, why } = self;
        let length = why.len() + 1;
        format!(
            "HTTP/1.1 {status}\r\n{header}Content-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{why}\n"
        )
    }
}

/// The length of the request's head in `received`, once it is whole.
///
/// # Errors
/// It is longer than allowed.
pub(crate) fn head_length(received: &[u8]) -> Result<Option<usize>, Refused> {
    let too_long = |_| Refused::new("431 Request Header Fields Too Large", "the request is longer than 16 KiB");
    http::head_length(received).map_err(too_long)
}

/// Whether what was received is a whole head whose path is that of MQTT over WebSocket.
pub(crate) fn is_meant(received: &[u8]) -> bool {
    let Ok(Some(length)) = http::head_length(received) else { return false };
    Head::parse(&received[..length]).is_ok_and(|head| head.path() == PATH)
}

/// A request that asks for a WebSocket as it must.
#[derive(Debug)]
pub(crate) struct Upgrade<'a> {
    head: Head<'a>,
    headers: Vec<(&'a str, &'a [u8])>,
    /// What makes a WebSocket of the connection.
    pub(crate) answer: String,
}

impl Upgrade<'_> {
    /// What a signature covers.
    pub(crate) fn parts(&self) -> RequestParts<'_> {
        let (raw_path, raw_query) = (self.head.path(), self.head.query());
        RequestParts { method: self.head.method, raw_path, raw_query, headers: &self.headers }
    }
}

/// The request that asks for a WebSocket, for a whole head.
///
/// # Errors
/// What to answer instead.
pub(crate) fn accept(head: &[u8]) -> Result<Upgrade<'_>, Refused> {
    const MALFORMED: Refused = Refused::new("400 Bad Request", "the request is not valid HTTP/1.1");
    let head = Head::parse(head).map_err(|_| MALFORMED)?;
    if head.path() != PATH {
        let why = "MQTT over WebSocket is at /mqtt; this listener does not serve publishing by HTTPS";
        return Err(Refused::new("404 Not Found", why));
    }
    if head.method != "GET" {
        let why = "a WebSocket begins with GET";
        return Err(Refused { status: "405 Method Not Allowed", header: "Allow: GET\r\n", why: why.into() });
    }
    let key = key(&head)?;
    let offered = head.tokens("sec-websocket-protocol");
    let Some(subprotocol) = SUBPROTOCOLS.into_iter().find(|known| offered.contains(known)) else {
        return Err(Refused::new("400 Bad Request", "the client must offer the subprotocol mqtt"));
    };
    let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, format!("{key}{KEY_SUFFIX}").as_bytes());
    let proof = STANDARD.encode(digest);
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {proof}\r\nSec-WebSocket-Protocol: {subprotocol}\r\n\r\n"
    );
    let headers = head.headers().collect();
    Ok(Upgrade { head, headers, answer })
}

/// The client's key, if the request asks for a WebSocket of the version that we speak.
fn key<'a>(head: &Head<'a>) -> Result<&'a str, Refused> {
    let asks = |name, word: &str| head.tokens(name).iter().any(|token| token.eq_ignore_ascii_case(word));
    if !asks("upgrade", "websocket") || !asks("connection", "upgrade") {
        let header = "Upgrade: websocket\r\n";
        return Err(Refused { status: "426 Upgrade Required", header, why: "only WebSocket is spoken here".into() });
    }
    if !asks("sec-websocket-version", "13") {
        let header = "Sec-WebSocket-Version: 13\r\n";
        return Err(Refused {
            status: "426 Upgrade Required",
            header,
            why: "only version 13 of WebSocket is spoken".into(),
        });
    }
    let mut keys = head.values("sec-websocket-key");
    match (keys.next(), keys.next()) {
        (Some(key), None) if STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16) => Ok(key),
        _ => Err(Refused::new("400 Bad Request", "Sec-WebSocket-Key must be there once, with 16 bytes in base64")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(line: &str, headers: &[(&str, &str)]) -> String {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{line}\r\nHost: localhost\r\n{headers}\r\n")
    }

    const GOOD: [(&str, &str); 5] = [
        ("upgrade", "WebSocket"),
        ("Connection", "keep-alive, Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "chat, mqtt"),
        ("Sec-WebSocket-Version", "13"),
    ];

    #[test]
    fn the_example_of_the_rfc_is_answered_as_there() {
        let request = request("GET /mqtt?x=y HTTP/1.1", &GOOD);
        let upgrade = accept(request.as_bytes()).unwrap();
        assert_eq!((upgrade.parts().raw_path, upgrade.parts().raw_query), ("/mqtt", "x=y"));
        let answer = upgrade.answer;
        assert!(answer.starts_with("HTTP/1.1 101 "));
        assert!(answer.contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{answer}");
        assert!(answer.ends_with("\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"), "{answer}");
    }

    #[test]
    fn every_other_request_gets_the_answer_that_says_what_is_wrong() {
        let without = |name: &str| GOOD.into_iter().filter(|(other, _)| *other != name).collect::<Vec<_>>();
        let with = |name: &'static str, value: &'static str| [without(name), vec![(name, value)]].concat();
        for (line, headers, status) in [
            ("GET / HTTP/1.1", GOOD.to_vec(), "404"),
            ("POST /topics/a?qos=1 HTTP/1.1", vec![], "404"),
            ("POST /mqtt HTTP/1.1", GOOD.to_vec(), "405"),
            ("GET /mqtt HTTP/1.0", GOOD.to_vec(), "400"),
            ("GET /mqtt", GOOD.to_vec(), "400"),
            ("GET  /mqtt HTTP/1.1", GOOD.to_vec(), "400"),
            ("GET /mqtt HTTP/1.1", without("upgrade"), "426"),
            ("GET /mqtt HTTP/1.1", without("Connection"), "426"),
            ("GET /mqtt HTTP/1.1", with("Sec-WebSocket-Version", "8"), "426"),
            ("GET /mqtt HTTP/1.1", with("Sec-WebSocket-Key", "c2hvcnQ="), "400"),
            ("GET /mqtt HTTP/1.1", [GOOD.to_vec(), vec![GOOD[2]]].concat(), "400"),
            ("GET /mqtt HTTP/1.1", with("Sec-WebSocket-Protocol", "chat"), "400"),
            ("GET /mqtt HTTP/1.1", without("Sec-WebSocket-Protocol"), "400"),
            ("GET /mqtt HTTP/1.1", with("b d", "x"), "400"),
        ] {
            let refused = accept(request(line, &headers).as_bytes()).unwrap_err();
            assert!(refused.response().starts_with(&format!("HTTP/1.1 {status} ")), "{line} {headers:?}: {refused:?}");
        }
    }
}
