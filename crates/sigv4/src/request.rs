//! What a signature covers.

use aws_lc_rs::digest::{SHA256, digest};

use crate::SigV4Error;

/// A request as it came over the wire, borrowed. Nothing in it is decoded or normalised.
#[derive(Debug, Clone, Copy)]
pub struct RequestParts<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// The path of the request line, still percent-encoded, without `?`.
    pub raw_path: &'a str,
    /// What follows the `?`, still percent-encoded; empty when there is none.
    pub raw_query: &'a str,
    /// Header fields in the order of arrival; names in either case. HTTP/2's `:authority` must be given as `host`.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> RequestParts<'a> {
    /// Most header fields of a request that is looked at.
    pub const HEADERS_MAX: usize = 128;
    /// Most bytes of header names and values.
    pub const HEADER_BYTES_MAX: usize = 64 * 1024;
    /// Most bytes of a path.
    pub const PATH_BYTES_MAX: usize = 8 * 1024;
    /// Most bytes of a query.
    pub const QUERY_BYTES_MAX: usize = 16 * 1024;
    /// Most `name=value` pairs of a query.
    pub const QUERY_PAIRS_MAX: usize = 256;

    /// Refuses what is larger than the bounds above, before any work is done on it.
    pub(crate) fn check_bounds(&self) -> Result<(), SigV4Error> {
        let header_bytes: usize = self.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        let within = self.headers.len() <= Self::HEADERS_MAX
            && header_bytes <= Self::HEADER_BYTES_MAX
            && self.raw_path.len() <= Self::PATH_BYTES_MAX
            && self.raw_query.len() <= Self::QUERY_BYTES_MAX
            && self.raw_query.bytes().filter(|&b| b == b'&').count() < Self::QUERY_PAIRS_MAX;
        if within { Ok(()) } else { Err(SigV4Error::TooLarge) }
    }

    /// All values of the header `name` (lower case), in order.
    pub(crate) fn header_values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let headers = self.headers;
        headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// The first value of the header `name` as trimmed text; `None` when it is absent or not UTF-8.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.header_values(name).next().and_then(|value| std::str::from_utf8(value).ok()).map(str::trim)
    }

    /// The pairs of the query as sent; a name without `=` has an empty value.
    pub(crate) fn query_pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.raw_query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }
}

/// SHA-256 of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadHash([u8; 32]);

/// The hash of no bytes: requests without a body, and WebSocket upgrades.
pub const EMPTY_PAYLOAD: PayloadHash = PayloadHash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

impl PayloadHash {
    /// The hash of `body`.
    pub fn of(body: &[u8]) -> Self {
        Self(sha256(body))
    }

    /// Lower-case hexadecimal, as it stands in the canonical request.
    pub fn to_hex(self) -> String {
        hex(&self.0)
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [b >> 4, b & 15]).map(|n| char::from(DIGITS[usize::from(n)])).collect()
}
