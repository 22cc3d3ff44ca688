//! The loop of a core: wait, take a turn, and again.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    io,
    pin::pin,
    rc::Rc,
    sync::{Arc, mpsc},
    task::Poll,
    time::Duration,
};

use mio::Events;
use tidegate_ids::Monotonic;
use tokio::io::Interest;

use super::{Core, EVENTS, Shared, State};
use crate::descriptor::watch;

/// Serves core `id` until it is told to stop.
///
/// # Errors
/// When the poll cannot be used; told through `started` when that is at the start.
pub(crate) async fn run(
    id: u16,
    poll: mio::Poll,
    shared: Arc<Shared>,
    started: mpsc::SyncSender<io::Result<()>>,
) -> io::Result<()> {
    let set_up = || -> io::Result<_> {
        let registry = poll.registry().try_clone()?;
        Ok((registry, watch(poll, Interest::READABLE)?))
    };
    let (registry, mut poll) = match set_up() {
        Ok(parts) => parts,
        Err(error) => return started.send(Err(error)).or(Ok(())),
    };
    let core = Rc::new(RefCell::new(Core::new(id, registry, shared)));
    // The receiver is there: it waits for this word.
    let _ = started.send(Ok(()));
    let mut events = Events::with_capacity(EVENTS);
    let mut alarm = pin!(tokio::time::sleep(Duration::ZERO));
    let mut alarm_at = None;
    loop {
        let Outlook { busy, next, ended } = core.borrow().outlook();
        if ended {
            let porters = core.borrow().porters.clone();
            porters.dismiss();
            return Ok(());
        }
        if busy {
            tokio::task::yield_now().await;
            poll_now(poll.get_mut(), &mut events)?;
        } else {
            // An alarm that turns out too early wakes us once for nothing; that is cheaper than moving it every turn.
            if let Some(next) = next
                && alarm_at.is_none_or(|at| next < at)
            {
                let wait = next.since(core.borrow().desk.clock_now().monotonic);
                alarm.as_mut().reset(tokio::time::Instant::now() + wait);
                alarm_at = Some(next);
            }
            let armed = alarm_at.is_some();
            poll_fn(|context| match poll.poll_read_ready_mut(context) {
                Poll::Ready(ready) => Poll::Ready(ready.and_then(|mut ready| {
                    poll_now(ready.get_inner_mut(), &mut events)?;
                    if events.iter().count() < EVENTS {
                        ready.clear_ready();
                    }
                    Ok(())
                })),
                Poll::Pending if armed && alarm.as_mut().poll(context).is_ready() => {
                    events.clear();
                    alarm_at = None;
                    Poll::Ready(Ok(()))
                }
                Poll::Pending => Poll::Pending,
            })
            .await?;
        }
        Core::turn(&core, &events);
    }
}

fn poll_now(poll: &mut mio::Poll, events: &mut Events) -> io::Result<()> {
    match poll.poll(events, Some(Duration::ZERO)) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        polled => polled,
    }
}

/// What a core waits for.
pub(super) struct Outlook {
    /// For nothing: there is more to handle.
    pub(super) busy: bool,
    /// For a deadline.
    next: Option<Monotonic>,
    ended: bool,
}

impl Core {
    pub(super) fn outlook(&self) -> Outlook {
        Outlook {
            busy: !self.unfinished.is_empty() || !self.dirty.is_empty() || self.may_go_on(),
            next: self.wheel.next(),
            ended: self.state == State::Ended || self.state == State::Stopping && self.slots.is_empty(),
        }
    }
}
