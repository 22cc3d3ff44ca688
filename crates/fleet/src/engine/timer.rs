//! Wakes a thread to the microsecond.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use mio::{Interest, Registry, Token, unix::SourceFd};
use rustix::{
    fs::Timespec,
    time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime},
};

/// A timer of the kernel that `epoll` watches. `epoll_wait` alone takes whole milliseconds: what is due between two of
/// them would be late by the half of one on average, and the latency of a message would be mostly that.
pub(super) struct Timer {
    descriptor: OwnedFd,
    /// When it goes off, in microseconds.
    set: Option<u64>,
}

impl Timer {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&descriptor.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { descriptor, set: None })
    }

    /// Goes off at `at`; never when that is `None`.
    pub(super) fn set(&mut self, at: Option<u64>, now: u64) -> io::Result<()> {
        if self.set == at && at.is_none_or(|at| at > now) {
            return Ok(());
        }
        let wait = at.map_or(0, |at| at.saturating_sub(now).max(1));
        let value = Timespec { tv_sec: (wait / 1_000_000) as i64, tv_nsec: (wait % 1_000_000 * 1_000) as i64 };
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        timerfd_settime(
            &self.descriptor,
            TimerfdTimerFlags::empty(),
            &Itimerspec { it_interval: never, it_value: value },
        )?;
        self.set = at;
        Ok(())
    }
}
