//! Descriptors of our own in the runtime's reactor.

use std::{io, os::fd::AsRawFd};

use tokio::io::{Interest, unix::AsyncFd};

/// Lets the runtime watch `owner`'s descriptor.
///
/// `owner` must own its descriptor and keep the same one as long as it is watched, as mio's sockets and poll do. tokio
/// has deprecated the safe constructors because others might not; its new ones are `unsafe`, which this workspace forbids.
#[allow(deprecated)]
pub(crate) fn watch<T: AsRawFd>(owner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(owner, interest)
}
