//! The head of an HTTP request, as WebSocket and HTTPS publishing read it: strictly, and bounded. Spec: RFC 9112.

/// Longest head, its empty line included: a session token with a policy in it fits into the target.
pub(crate) const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most header lines.
const HEADERS_MAX: usize = 64;

/// The head is longer than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// It is no HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// A whole head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) method: &'a str,
    /// Path and query, as sent.
    pub(crate) target: &'a str,
    headers: Vec<(&'a str, &'a str)>,
}

/// The length of the head in `received`, once it is whole.
pub(crate) fn head_length(received: &[u8]) -> Result<Option<usize>, TooLong> {
    let looked_at = &received[..received.len().min(HEAD_BYTES_MAX)];
    match looked_at.windows(4).position(|four| four == b"\r\n\r\n") {
        Some(at) => Ok(Some(at + 4)),
        None if received.len() >= HEAD_BYTES_MAX => Err(TooLong),
        None => Ok(None),
    }
}

impl<'a> Head<'a> {
    /// Reads a whole head.
    pub(crate) fn parse(head: &'a [u8]) -> Result<Self, Malformed> {
        let head = std::str::from_utf8(head).map_err(|_| Malformed)?;
        let mut lines = head.trim_end_matches("\r\n").split("\r\n");
        let mut request = lines.next().unwrap_or_default().split(' ');
        let (Some(method), Some(target), Some("HTTP/1.1"), None) =
            (request.next(), request.next(), request.next(), request.next())
        else {
            return Err(Malformed);
        };
        let mut headers = Vec::new();
        for line in lines {
            let (name, value) = line.split_once(':').ok_or(Malformed)?;
            if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
                return Err(Malformed);
            }
            if value.contains(|c: char| c.is_control() && c != '\t') || headers.len() == HEADERS_MAX {
                return Err(Malformed);
            }
            headers.push((name, value.trim_matches([' ', '\t'])));
        }
        Ok(Self { method, target, headers })
    }

    /// The path of the target, as sent.
    pub(crate) fn path(&self) -> &'a str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query of the target, as sent.
    pub(crate) fn query(&self) -> &'a str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// All headers, as sent.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.headers.iter().map(|(name, value)| (*name, value.as_bytes()))
    }

    /// All values of a header.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The first value of a header.
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        self.values(name).next()
    }

    /// All comma-separated parts of all headers of a name.
    pub(crate) fn tokens(&self, name: &str) -> Vec<&'a str> {
        self.values(name).flat_map(|value| value.split(',').map(str::trim)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_whole_at_its_empty_line_and_no_longer_than_the_limit() {
        assert_eq!(head_length(b"GET / HTTP/1.1\r\n\r"), Ok(None));
        assert_eq!(head_length(b"GET / HTTP/1.1\r\n\r\nrest"), Ok(Some(18)));
        assert!(head_length(&[b'a'; HEAD_BYTES_MAX]).is_err());
        assert_eq!(head_length(&[b'a'; HEAD_BYTES_MAX - 1]), Ok(None));
    }

    #[test]
    fn heads_are_read_strictly() {
        let head = Head::parse(b"POST /a%2Fb?qos=1 HTTP/1.1\r\nHost: x\r\nA: 1\r\na:2 , 3\r\n\r\n").unwrap();
        assert_eq!((head.method, head.path(), head.query()), ("POST", "/a%2Fb", "qos=1"));
        assert_eq!((head.value("A"), head.tokens("A")), (Some("1"), vec!["1", "2", "3"]));
        for wrong in [
            "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1 x\r\n\r\n",
            "GET  / HTTP/1.1\r\n\r\n",
            "GET /\r\n\r\n",
            "GET / HTTP/1.1\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\na b: c\r\n\r\n",
            "GET / HTTP/1.1\r\na: b\n: c\r\n\r\n",
            "GET / HTTP/1.1\r\n: c\r\n\r\n",
            "GET / HTTP/1.1\r\n folded: c\r\n\r\n",
        ] {
            assert_eq!(Head::parse(wrong.as_bytes()), Err(Malformed), "{wrong:?}");
        }
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1));
        assert_eq!(Head::parse(many.as_bytes()), Err(Malformed));
    }
}
