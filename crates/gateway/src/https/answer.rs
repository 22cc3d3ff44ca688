//! Answers, whole.
//!
//! AWS: success of a publish is `{"message":"OK","traceId":"…"}`, a refusal `{"message":"Forbidden","traceId":"…"}`.

use uuid::Uuid;

/// Asks for the body.
pub(super) const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What an answer says.
#[derive(Debug)]
pub(super) enum Body {
    /// A sentence; the trace id stands beside it.
    Message(String),
    /// A JSON document, as it is.
    Document(Vec<u8>),
}

/// A sentence.
pub(super) fn message(text: &str) -> Body {
    Body::Message(text.to_owned())
}

/// The whole response.
pub(super) fn response(status: u16, body: &Body, trace_id: Uuid, last: bool) -> Vec<u8> {
    let text;
    let body = match body {
        Body::Document(bytes) => bytes.as_slice(),
        Body::Message(message) => {
            text = serde_json::json!({ "message": message, "traceId": trace_id.to_string() }).to_string();
            text.as_bytes()
        }
    };
    let connection = if last { "close" } else { "keep-alive" };
    let mut response = format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nx-amzn-RequestId: {trace_id}\r\n\
         Connection: {connection}\r\n\r\n",
        phrase(status),
        body.len(),
    )
    .into_bytes();
    response.extend_from_slice(body);
    response
}

/// Spec: RFC 9110, 15.
fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        411 => "Length Required",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_and_says_whether_more_may_follow() {
        let text = |status, body: Body, last| String::from_utf8(response(status, &body, Uuid::nil(), last)).unwrap();
        let ok = text(200, message("OK"), false);
        assert!(ok.starts_with("HTTP/1.1 200 OK\r\n") && ok.contains("\r\nConnection: keep-alive\r\n"), "{ok}");
        let body = r#"{"message":"OK","traceId":"00000000-0000-0000-0000-000000000000"}"#;
        assert!(
            ok.contains(&format!("\r\nContent-Length: {}\r\n", body.len())) && ok.ends_with(&format!("\r\n\r\n{body}")),
            "{ok}"
        );
        let document = text(403, Body::Document(b"{}".to_vec()), true);
        assert!(document.starts_with("HTTP/1.1 403 Forbidden\r\n") && document.contains("\r\nConnection: close\r\n"));
        assert!(document.ends_with("\r\n\r\n{}"));
    }
}
