//! The canonical form: one text for every request that means the same.

use std::borrow::Cow;

use crate::{
    RequestParts,
    request::{hex, sha256},
};

/// How `Signature` and the token stand in a presigned query.
pub(crate) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";
/// The session token's parameter in a presigned query.
pub(crate) const TOKEN_PARAMETER: &str = "X-Amz-Security-Token";

/// The canonical request of `request`.
///
/// AWS: IAM user guide, "Create a canonical request".
pub(crate) fn canonical_request(
    request: &RequestParts<'_>,
    path: &str,
    query: &str,
    signed_headers: &[Box<str>],
    payload: &str,
) -> String {
    let mut text = String::with_capacity(512 + path.len() + query.len());
    for part in [request.method, "\n", path, "\n", query, "\n"] {
        text.push_str(part);
    }
    for name in signed_headers {
        text.push_str(name);
        text.push(':');
        for (i, value) in request.header_values(name).enumerate() {
            if i > 0 {
                text.push(',');
            }
            push_trimmed(&mut text, value);
        }
        text.push('\n');
    }
    text.push('\n');
    for (i, name) in signed_headers.iter().enumerate() {
        if i > 0 {
            text.push(';');
        }
        text.push_str(name);
    }
    text.push('\n');
    text.push_str(payload);
    text
}

/// What is signed: the algorithm, the moment, the scope and the canonical request's hash.
pub(crate) fn string_to_sign(date: &str, scope: &str, canonical_request: &str) -> String {
    format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex(&sha256(canonical_request.as_bytes())))
}

/// A header value without spaces around it, inner runs of them as one. Bytes above ASCII are taken as Latin-1, which
/// keeps different values different.
fn push_trimmed(text: &mut String, value: &[u8]) {
    if let Ok(value) = std::str::from_utf8(value) {
        for (i, word) in value.split_ascii_whitespace().enumerate() {
            if i > 0 {
                text.push(' ');
            }
            text.push_str(word);
        }
    } else {
        let latin: String = value.iter().map(|&b| char::from(b)).collect();
        push_trimmed(text, latin.as_bytes());
    }
}

/// The paths under which the request may have been signed: as sent, and with dot segments and empty segments removed,
/// as AWS's own SDKs do. The second is left out when it is the first.
///
/// AWS: "normalize URI paths according to RFC 3986" for all services but S3; some signers do not, so both are tried.
pub(crate) fn canonical_paths(raw_path: &str) -> impl Iterator<Item = String> {
    let sent = if raw_path.is_empty() { "/" } else { raw_path };
    let normal = normalised(sent);
    let second = (normal != sent).then(|| encoded(&normal, true));
    std::iter::once(encoded(sent, true)).chain(second)
}

fn normalised(path: &str) -> Cow<'_, str> {
    if !path.contains("//") && !path.contains("/.") {
        return Cow::Borrowed(path);
    }
    let mut kept = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            _ => kept.push(segment),
        }
    }
    let trailing = if path.ends_with('/') && !kept.is_empty() { "/" } else { "" };
    Cow::Owned(format!("/{}{trailing}", kept.join("/")))
}

/// Query pairs sorted by name, then by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueryEncoding {
    /// Names and values as they were sent.
    AsSent,
    /// Decoded and encoded again: for clients that sent `:` but signed `%3A`.
    Uniform,
}

/// The canonical query, without the pairs whose name `omit` picks.
pub(crate) fn canonical_query(
    request: &RequestParts<'_>,
    encoding: QueryEncoding,
    omit: impl Fn(&str) -> bool,
) -> String {
    let form = |text: &'_ str| match encoding {
        QueryEncoding::AsSent => text.to_owned(),
        QueryEncoding::Uniform => encoded_bytes(&decoded(text), false),
    };
    let mut pairs: Vec<(String, String)> =
        request.query_pairs().filter(|(name, _)| !omit(name)).map(|(name, value)| (form(name), form(value))).collect();
    pairs.sort_unstable();
    let mut text = String::with_capacity(request.raw_query.len() + pairs.len());
    for (i, (name, value)) in pairs.iter().enumerate() {
        if i > 0 {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// `text` with every byte but the unreserved ones (RFC 3986) as `%XX`; `/` stays when `keep_slash`.
pub(crate) fn encoded(text: &str, keep_slash: bool) -> String {
    encoded_bytes(text.as_bytes(), keep_slash)
}

fn encoded_bytes(bytes: &[u8], keep_slash: bool) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(bytes.len() + 16);
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b'/' if keep_slash => out.push('/'),
            _ => {
                out.push('%');
                out.push(char::from(DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
    out
}

/// The bytes that `text` percent-encodes; a `%` that begins no escape stands for itself, `+` too.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    let nibble = |b: Option<&u8>| b.and_then(|&b| char::from(b).to_digit(16));
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, nibble(bytes.get(at + 1)), nibble(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}
