//! SIGTERM and SIGINT: the first asks for an orderly end, the second for the end.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Both signals, caught from now on.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Catches them instead of dying of them.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Returns at the next of the two, with its number.
    async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
        }
    }

    /// Returns at the first signal.
    pub(super) async fn first(&mut self) {
        self.next().await;
    }

    /// From now on a signal ends the process at once, with the status that shells expect.
    pub(super) fn exit_at_the_second(mut self) {
        tokio::spawn(async move { std::process::exit(128 + self.next().await) });
    }
}
