//! Shared subscriptions: each message goes to one member. Spec: 4.8.2 (5.0).

use std::collections::{BTreeSet, HashMap};

use parking_lot::Mutex;

use super::{GroupFull, Subscriber};
use crate::session::Session;

/// The members of one share name on one filter.
#[derive(Debug)]
pub(crate) struct Group {
    share_name: Box<str>,
    /// See [`group_number`].
    number: u64,
    members: Mutex<Members>,
}

/// Members, and an order of them by how busy each was when it was last looked at.
///
/// Of up to [`LOOKS`] members every one is looked at for each pick, and there is no order to keep. Of more, the first in the
/// order is looked at anew before it is picked, so none is picked that is busier than another is known to be; a member that
/// became less busy is noticed when its turn to be looked at comes, within members / `LOOKS` picks. Nothing is linear in the
/// members.
#[derive(Debug, Default)]
struct Members {
    list: Vec<Member>,
    /// Places in `list`, by the session's serial.
    places: HashMap<u64, u32>,
    /// (load, turn, place in `list`) of every member, while there are more than [`LOOKS`].
    order: BTreeSet<(u32, u64, u32)>,
    /// The last turn that was given: equals take turns by it.
    turn: u64,
    /// Where the next look begins.
    look_at: usize,
}

#[derive(Debug)]
struct Member {
    subscriber: Subscriber,
    load: u32,
    turn: u64,
}

/// Members looked at for one pick.
const LOOKS: usize = 16;
/// Members that are offered one message, one after the other, while each refuses.
const OFFERS_MAX: usize = 64;

/// What a session's leaving changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) was_member: bool,
    pub(super) is_empty: bool,
}

/// What names a group on disk: FNV-1a of share name and filter, with a slash between them. Among the few groups of one
/// session it is unique for all that matters; if not, a message is handed to the members of another group of its client.
fn group_number(share_name: &str, filter: &str) -> u64 {
    let bytes = share_name.bytes().chain(*b"/").chain(filter.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

impl Group {
    pub(super) fn new(share_name: &str, filter: &str, first: Subscriber) -> Self {
        let mut members = Members::default();
        members.add(first);
        let number = group_number(share_name, filter);
        Self { share_name: share_name.into(), number, members: Mutex::new(members) }
    }

    /// The same for the same share name and filter, in every process.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn share_name(&self) -> &str {
        &self.share_name
    }

    /// Whether a final `/#` of this group's filter matches its parent level: as the first member's profile says.
    pub(super) fn parent_level(&self) -> bool {
        self.members.lock().list.first().is_some_and(|member| member.subscriber.options.parent_level)
    }

    /// Whether the session is new to the group; else its options are replaced.
    pub(super) fn join(&self, subscriber: Subscriber, members_max: usize) -> Result<bool, GroupFull> {
        let mut members = self.members.lock();
        if let Some(&at) = members.places.get(&subscriber.session.serial()) {
            members.list[at as usize].subscriber = subscriber;
            return Ok(false);
        }
        if members.list.len() >= members_max {
            return Err(GroupFull);
        }
        members.add(subscriber);
        Ok(true)
    }

    pub(super) fn leave(&self, session: &Session) -> Left {
        let mut members = self.members.lock();
        let was_member = members.remove(session.serial());
        Left { was_member, is_empty: members.list.is_empty() }
    }

    /// Look at `session`, which has returned: absent members that return are to be noticed at once.
    pub(super) fn look_at(&self, session: &Session) {
        let mut members = self.members.lock();
        if let Some(&at) = members.places.get(&session.serial()) {
            members.look(at);
        }
    }

    /// The member for the next message: connected before absent, then fewest messages on their way, then in turn. Of those
    /// in `refused`, by their sessions' serials, none; `None` when all were asked, or enough of them.
    pub(crate) fn pick(&self, refused: &[u64]) -> Option<Subscriber> {
        if refused.len() >= OFFERS_MAX {
            return None;
        }
        let mut members = self.members.lock();
        let at = if members.is_small() { members.first_of_all(refused) } else { members.first_in_order(refused) }?;
        members.give_turn(at);
        Some(members.list[at as usize].subscriber.clone())
    }
}

impl Member {
    fn is_in(&self, serials: &[u64]) -> bool {
        serials.contains(&self.subscriber.session.serial())
    }
}

impl Members {
    fn is_small(&self) -> bool {
        self.list.len() <= LOOKS
    }

    fn add(&mut self, subscriber: Subscriber) {
        let at = u32::try_from(self.list.len()).expect("fewer than 2^32 members fit in memory");
        let load = subscriber.session.load();
        self.turn += 1;
        self.places.insert(subscriber.session.serial(), at);
        self.list.push(Member { subscriber, load, turn: self.turn });
        if self.list.len() == LOOKS + 1 {
            let places = self.list.iter().zip(0..);
            self.order = places.map(|(member, at)| (member.load, member.turn, at)).collect();
        } else if !self.is_small() {
            self.order.insert((load, self.turn, at));
        }
    }

    /// Whether there was one.
    fn remove(&mut self, serial: u64) -> bool {
        let Some(at) = self.places.remove(&serial) else { return false };
        let gone = self.list.swap_remove(at as usize);
        self.order.remove(&(gone.load, gone.turn, at));
        if let Some(moved) = self.list.get(at as usize) {
            self.places.insert(moved.subscriber.session.serial(), at);
            if self.order.remove(&(moved.load, moved.turn, self.list.len() as u32)) {
                self.order.insert((moved.load, moved.turn, at));
            }
        }
        if self.is_small() {
            self.order.clear();
        }
        true
    }

    /// Note how busy a member is now.
    fn look(&mut self, at: u32) {
        let member = &mut self.list[at as usize];
        let before = (member.load, member.turn, at);
        member.load = member.subscriber.session.load();
        if member.load != before.0 && self.order.remove(&before) {
            self.order.insert((member.load, member.turn, at));
        }
    }

    /// The least busy member that is not in `refused`, by looking at all of them.
    fn first_of_all(&self, refused: &[u64]) -> Option<u32> {
        let (mut first, mut least) = (None, u128::MAX);
        for (member, at) in self.list.iter().zip(0..) {
            // Load, then turn.
            let rank = u128::from(member.subscriber.session.load()) << 64 | u128::from(member.turn);
            if rank < least && !member.is_in(refused) {
                (first, least) = (Some(at), rank);
            }
        }
        first
    }

    /// The same, as far as is known.
    fn first_in_order(&mut self, refused: &[u64]) -> Option<u32> {
        for _ in 0..LOOKS {
            self.look_at = (self.look_at + 1) % self.list.len();
            self.look(self.look_at as u32);
        }
        loop {
            let asked = |at: u32| self.list[at as usize].is_in(refused);
            let &(load, _, at) = self.order.iter().find(|(.., at)| !asked(*at))?;
            if self.list[at as usize].subscriber.session.load() <= load {
                return Some(at);
            }
            self.look(at);
        }
    }

    /// Behind all that are as busy.
    fn give_turn(&mut self, at: u32) {
        self.turn += 1;
        let member = &mut self.list[at as usize];
        let before = (member.load, member.turn, at);
        member.turn = self.turn;
        if self.order.remove(&before) {
            self.order.insert((member.load, member.turn, at));
        }
    }
}
