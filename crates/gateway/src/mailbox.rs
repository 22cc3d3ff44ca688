//! What other threads may do to a core: leave word and wake it. Nobody else touches a core's connections.

use std::{
    collections::VecDeque,
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;

/// A core's letter box: a bounded lane of control messages, and the bell.
///
/// A signal wakes the core once, however often it is rung before the core looks.
#[derive(Debug)]
pub(crate) struct Mailbox<T> {
    control: Mutex<VecDeque<T>>,
    control_max: usize,
    signalled: AtomicBool,
    waker: mio::Waker,
}

impl<T> Mailbox<T> {
    /// A letter box with room for `control_max` control messages; `waker` wakes the poll of its core.
    pub(crate) fn new(waker: mio::Waker, control_max: usize) -> Self {
        Self { control: Mutex::default(), control_max, signalled: AtomicBool::new(false), waker }
    }

    /// Leaves a control message and signals; gives it back when the lane is full.
    pub(crate) fn send(&self, message: T) -> Result<(), T> {
        let mut control = self.control.lock();
        if control.len() >= self.control_max {
            return Err(message);
        }
        control.push_back(message);
        drop(control);
        self.signal();
        Ok(())
    }

    /// Wakes the core, unless somebody has since it last looked.
    pub(crate) fn signal(&self) {
        if !self.signalled.swap(true, Ordering::AcqRel) {
            // Writing to an eventfd fails only when its counter is full, and then the core is awake already.
            let woken: io::Result<()> = self.waker.wake();
            debug_assert!(woken.is_ok(), "{woken:?}");
        }
    }

    /// Whether there may be something to take; for the core. What arrives after this signals again.
    pub(crate) fn look(&self) -> bool {
        self.signalled.load(Ordering::Relaxed) && self.signalled.swap(false, Ordering::AcqRel)
    }

    /// The next control message.
    pub(crate) fn receive(&self) -> Option<T> {
        self.control.lock().pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(control_max: usize) -> (mio::Poll, Mailbox<u32>) {
        let poll = mio::Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), mio::Token(0)).unwrap();
        (poll, Mailbox::new(waker, control_max))
    }

    #[test]
    fn the_control_lane_is_bounded_and_in_order() {
        let (_poll, mailbox) = mailbox(2);
        assert_eq!([mailbox.send(1), mailbox.send(2), mailbox.send(3)], [Ok(()), Ok(()), Err(3)]);
        assert_eq!([mailbox.receive(), mailbox.receive(), mailbox.receive()], [Some(1), Some(2), None]);
    }

    #[test]
    fn signals_before_the_core_looks_wake_it_once() {
        let (mut poll, mailbox) = mailbox(8);
        let mut events = mio::Events::with_capacity(8);
        for _ in 0..2 {
            mailbox.signal();
            mailbox.send(1).unwrap();
            poll.poll(&mut events, Some(std::time::Duration::ZERO)).unwrap();
            assert_eq!(events.iter().count(), 1);
            poll.poll(&mut events, Some(std::time::Duration::ZERO)).unwrap();
            assert_eq!(events.iter().count(), 0);
            assert!(mailbox.look() && !mailbox.look());
        }
    }
}
