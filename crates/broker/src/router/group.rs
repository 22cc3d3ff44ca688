//! Shared subscriptions: each message goes to one member. Spec: 4.8.2 (5.0).

use std::sync::Arc;

use parking_lot::Mutex;

use super::{Entry, GroupFull, Subscriber, push_tight};
use crate::session::Session;

/// The members of one share name on one filter.
#[derive(Debug)]
pub(crate) struct Group {
    share_name: Box<str>,
    members: Mutex<Members>,
}

#[derive(Debug)]
struct Members {
    list: Vec<Subscriber>,
    /// Where the next search begins, so that equals take turns.
    next: usize,
}

impl Group {
    pub(super) fn new(share_name: &str, first: Subscriber) -> Self {
        let mut list = Vec::new();
        push_tight(&mut list, first);
        Self { share_name: share_name.into(), members: Mutex::new(Members { list, next: 0 }) }
    }

    pub(super) fn share_name(&self) -> &str {
        &self.share_name
    }

    /// Whether a final `/#` of this group's filter matches its parent level: as the first member's profile says.
    pub(super) fn parent_level(&self) -> bool {
        self.members.lock().list.first().is_some_and(|member| member.options.parent_level)
    }

    pub(super) fn join(&self, member: Subscriber, members_max: usize) -> Result<(), GroupFull> {
        let mut members = self.members.lock();
        match Entry::position(&members.list, &member.session) {
            Some(at) => members.list[at] = member,
            None if members.list.len() >= members_max => return Err(GroupFull),
            None => members.list.push(member),
        }
        Ok(())
    }

    /// Whether the group is empty now.
    pub(super) fn leave(&self, session: &Arc<Session>) -> bool {
        let mut members = self.members.lock();
        if let Some(at) = Entry::position(&members.list, session) {
            members.list.remove(at);
        }
        members.list.is_empty()
    }

    /// The member for the next message: connected before absent, then fewest unacknowledged, then in turn. When that
    /// member would not have it, ask again with `attempt` one higher; `None` when all were asked.
    pub(crate) fn pick(&self, attempt: usize) -> Option<Subscriber> {
        let mut members = self.members.lock();
        let Members { list, next } = &mut *members;
        if attempt >= list.len() {
            return None;
        }
        if attempt > 0 {
            return Some(list[(*next + attempt - 1) % list.len()].clone());
        }
        let start = *next % list.len();
        let turn = (0..list.len()).map(|step| (start + step) % list.len());
        let best = turn.min_by_key(|&at| list[at].session.load()).expect("a group has a member");
        *next = best + 1;
        Some(list[best].clone())
    }
}
