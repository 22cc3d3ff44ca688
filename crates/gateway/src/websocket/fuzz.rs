//! Bodies of the fuzz targets in `fuzz/fuzz_targets`, which the property tests run too. Each panics when a promise of
//! this module is broken.

use super::{Ended, WebSocket, upgrade};
use crate::{
    http::{self, Head},
    https::route,
};

/// Feeds the frames in all of `data` but its first byte, which says in pieces of what size: they carry the same, end the same
/// way, and make no more than they are. Of the answers only those to pings before the last one may be left out.
pub fn websocket(data: &[u8]) {
    let Some((&size, bytes)) = data.split_first() else { return };
    let (payload, answer, ended) = feed(bytes, bytes.len());
    let (in_pieces, answers, ended_too) = feed(bytes, size.into());
    assert_eq!((&payload, ended), (&in_pieces, ended_too));
    assert!(answers.ends_with(&answer));
    assert!(payload.len() + answers.len() <= bytes.len());
}

/// What comes of `bytes`, fed in pieces of `size`: payload, answers, the end.
fn feed(bytes: &[u8], size: usize) -> (Vec<u8>, Vec<u8>, Result<(), Ended>) {
    let (mut socket, mut payload, mut answer) = (WebSocket::default(), Vec::new(), Vec::new());
    let mut fed = Ok(());
    for piece in bytes.chunks(size.max(1)) {
        fed = socket.feed(piece, &mut payload, &mut answer);
    }
    (payload, answer, fed)
}

/// Reads `data` as the head of an HTTP request: its length never depends on what follows it, and the answer is whole.
pub fn upgrade(data: &[u8]) {
    let Ok(Some(length)) = upgrade::head_length(data) else { return };
    assert_eq!(upgrade::head_length(&data[..length]), Ok(Some(length)));
    assert_eq!(upgrade::head_length(&data[..length - 1]), Ok(None));
    let (starts, answer) = match upgrade::accept(&data[..length]) {
        Ok(upgrade) => ("HTTP/1.1 101 ", upgrade.answer),
        Err(refused) => ("HTTP/1.1 4", refused.response()),
    };
    assert!(answer.starts_with(starts) && answer.contains("\r\n\r\n"), "{answer}");
}

/// Reads `data` as a request of a device by HTTPS: it is refused with a status of the client's, or understood.
pub fn https_request(data: &[u8]) {
    let Ok(Some(length)) = http::head_length(data) else { return };
    let Ok(head) = Head::parse(&data[..length]) else { return };
    for refused in [route::framing(&head).err(), route::route(&head).err()].into_iter().flatten() {
        assert!((400..500).contains(&refused.status) && !refused.message.is_empty(), "{refused:?}");
    }
}
