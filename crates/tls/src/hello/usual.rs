//! A ClientHello as nearly all clients write it, read by looking at it once.
//!
//! rustls reads it again when the session is fed, and judges all of it then.

use rustls::{CipherSuite, pki_types::DnsName};

use super::ClientHello;

const SERVER_NAME: u16 = 0;
const SIGNATURE_ALGORITHMS: u16 = 13;
const APPLICATION_PROTOCOLS: u16 = 16;

const HOST_NAME: u8 = 0;
const NO_COMPRESSION: u8 = 0;
const RANDOM_BYTES: usize = 32;

/// What stands in the body of a ClientHello of TLS 1.2 or 1.3; `None` if it has anything unusual, whether that is wrong or not.
///
/// Spec: RFC 8446, 4.1.2; RFC 6066, 3; RFC 7301, 3.1.
pub(super) fn read(mut body: &[u8]) -> Option<ClientHello> {
    let [3, 3] = body.split_off(..2)? else { return None };
    body.split_off(..RANDOM_BYTES)?;
    let _session_id = vector::<1>(&mut body)?;
    let (cipher_suites @ [_, ..], []) = vector::<2>(&mut body)?.as_chunks::<2>() else { return None };
    let compression = vector::<1>(&mut body)?;
    let mut extensions = vector::<2>(&mut body)?;
    if !body.is_empty() || !compression.contains(&NO_COMPRESSION) {
        return None;
    }
    let (mut server_name, mut alpn, mut signs) = (None, None, false);
    while !extensions.is_empty() {
        let kind = number::<2>(&mut extensions)? as u16;
        let data = vector::<2>(&mut extensions)?;
        let seen = match kind {
            SERVER_NAME => server_name.replace(host_name(data)?).is_some(),
            APPLICATION_PROTOCOLS => alpn.replace(protocols(data)?).is_some(),
            SIGNATURE_ALGORITHMS => std::mem::replace(&mut signs, true),
            _ => false,
        };
        if seen {
            return None;
        }
    }
    let cipher_suites = cipher_suites.iter().map(|suite| CipherSuite::from(u16::from_be_bytes(*suite))).collect();
    signs.then(|| ClientHello { server_name, alpn: alpn.unwrap_or_default(), cipher_suites })
}

/// The one name of a `server_name` extension, lower-case.
fn host_name(mut data: &[u8]) -> Option<String> {
    let mut names = vector::<2>(&mut data)?;
    let [HOST_NAME] = names.split_off(..1)? else { return None };
    let name = std::str::from_utf8(vector::<2>(&mut names)?).ok()?;
    let alone = data.is_empty() && names.is_empty() && DnsName::try_from(name).is_ok();
    alone.then(|| name.to_ascii_lowercase())
}

/// The protocols of an ALPN extension.
fn protocols(mut data: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut list = vector::<2>(&mut data)?;
    let mut protocols = Vec::new();
    while !list.is_empty() {
        protocols.push(vector::<1>(&mut list).filter(|name| !name.is_empty())?.to_vec());
    }
    (data.is_empty() && !protocols.is_empty()).then_some(protocols)
}

/// Bytes behind a length of `WIDTH` bytes. Spec: RFC 8446, 3.4.
fn vector<'a, const WIDTH: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = number::<WIDTH>(bytes)?;
    bytes.split_off(..length)
}

fn number<const WIDTH: usize>(bytes: &mut &[u8]) -> Option<usize> {
    Some(bytes.split_off(..WIDTH)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}
