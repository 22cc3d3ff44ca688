//! A stream that gives up on a peer who takes nothing.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// Reads as the stream below does; a write that makes no progress for `limit` fails with [`ErrorKind::TimedOut`].
pub(crate) struct Impatient<S> {
    stream: S,
    limit: Duration,
    /// Runs while the peer takes nothing.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    pub(crate) fn new(stream: S, limit: Duration) -> Self {
        Self { stream, limit, stalled: None }
    }

    /// What the stream below said about a write; an error when it has been waiting for too long.
    fn judge<T>(&mut self, context: &mut Context<'_>, below: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if below.is_ready() {
            self.stalled = None;
            return below;
        }
        let limit = self.limit;
        ready!(self.stalled.get_or_insert_with(|| Box::pin(sleep(limit))).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(ErrorKind::TimedOut, "the peer takes nothing")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let below = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(context, below)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let below = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(context, below)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // Nothing is buffered here or below: who waits, waits in a write.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, task::Waker};

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_peer_that_takes_nothing_is_given_up() {
        let (near, _far) = duplex(10);
        let mut near = Impatient::new(near, Duration::from_millis(1));
        let error = near.write_all(&[1; 30]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn the_time_starts_anew_with_every_byte_that_is_taken() {
        let (near, mut far) = duplex(10);
        let mut near = Impatient::new(near, Duration::from_secs(3600));
        let context = &mut Context::from_waker(Waker::noop());
        near.write_all(&[1; 10]).await.unwrap();
        assert!(std::pin::pin!(near.write(&[1])).poll(context).is_pending());
        assert!(near.stalled.is_some());
        far.read_u8().await.unwrap();
        assert!(std::pin::pin!(near.write(&[1])).poll(context).is_ready());
        assert!(near.stalled.is_none());
    }
}
