//! Who is connected: bounded in total and per address; whoever has proven nothing makes room first.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Over all listeners.
    pub(crate) total: usize,
    /// From one IPv4 address, or from one IPv6 network of 64 bits.
    pub(crate) per_address: usize,
}

/// What a connection has shown, in the order in which they make room.
///
///   Stranger ──▶ AtWork ◀──▶ Resting
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// No request with a good signature yet, whatever else was asked: health needs none.
    Stranger,
    /// Between two requests; the last one that asks for it had a good signature.
    Resting,
    /// A signed request is being answered. These never make room.
    AtWork,
}

/// All connections of all listeners.
#[derive(Debug)]
pub(crate) struct Seats {
    limits: Limits,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    taken: BTreeMap<u64, Taken>,
    /// Numbers both arrivals and answers: the lower, the longer ago.
    next: u64,
}

#[derive(Debug)]
struct Taken {
    network: IpAddr,
    standing: Standing,
    /// When the standing began.
    since: u64,
    leave: Arc<Notify>,
}

/// A connection's seat; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    leave: Arc<Notify>,
}

impl Seats {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, table: Mutex::default() })
    }

    /// A seat for a new connection from `address`. Where a limit is reached, another that counts towards it loses its
    /// own: the oldest stranger, or else whoever has rested longest. `None` when all of them are at work.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Seat> {
        let network = network_of(address);
        let mut table = self.table.lock();
        let here = table.taken.values().filter(|taken| taken.network == network).count();
        if here >= self.limits.per_address && !table.make_room(|taken| taken.network == network) {
            return None;
        }
        if table.taken.len() >= self.limits.total && !table.make_room(|_| true) {
            return None;
        }
        let (number, leave) = (table.tick(), Arc::new(Notify::new()));
        let taken = Taken { network, standing: Standing::Stranger, since: number, leave: Arc::clone(&leave) };
        table.taken.insert(number, taken);
        Some(Seat { seats: Arc::clone(self), number, leave })
    }

    /// Somebody leaves, for when descriptors run out.
    pub(crate) fn make_room(&self) {
        self.table.lock().make_room(|_| true);
    }

    fn change(&self, number: u64, standing: Standing) {
        let mut table = self.table.lock();
        let now = table.tick();
        if let Some(taken) = table.taken.get_mut(&number) {
            (taken.standing, taken.since) = (standing, now);
        }
    }
}

impl Seat {
    /// A request came whose signature is good.
    pub(crate) fn at_work(&self) {
        self.seats.change(self.number, Standing::AtWork);
    }

    /// That request is answered.
    pub(crate) fn resting(&self) {
        self.seats.change(self.number, Standing::Resting);
    }

    /// Returns when this connection has to make room.
    pub(crate) async fn lost(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.table.lock().taken.remove(&self.number);
    }
}

impl Table {
    fn tick(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether one of those that `counts` names has left. O(connections), and only at a limit.
    fn make_room(&mut self, counts: impl Fn(&Taken) -> bool) -> bool {
        let candidates = self.taken.iter().filter(|(_, taken)| counts(taken) && taken.standing != Standing::AtWork);
        let Some((&number, _)) = candidates.min_by_key(|(_, taken)| (taken.standing, taken.since)) else {
            return false;
        };
        self.taken.remove(&number).map(|taken| taken.leave.notify_one()).is_some()
    }
}

/// What counts as one address: an IPv6 peer owns at least the lower half of the bits.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Waker};

    use super::*;

    const LIMITS: Limits = Limits { total: 5, per_address: 3 };

    fn lost(seat: &Seat) -> bool {
        std::pin::pin!(seat.lost()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    fn from(seats: &Arc<Seats>, address: &str) -> Option<Seat> {
        seats.take(address.parse().unwrap())
    }

    #[test]
    fn the_oldest_stranger_of_a_full_address_makes_room() {
        let seats = Seats::new(LIMITS);
        let old: Vec<_> = (0..3).map(|_| from(&seats, "10.0.0.1").unwrap()).collect();
        let other = from(&seats, "10.0.0.2").unwrap();
        old[0].at_work();
        let _new = from(&seats, "10.0.0.1").unwrap();
        assert_eq!(old.iter().map(lost).collect::<Vec<_>>(), [false, true, false]);
        assert!(!lost(&other), "another address pays for nothing");
        for (one, same, expected) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
        ] {
            let (one, same) = (one.parse().unwrap(), same.parse().unwrap());
            assert_eq!(network_of(one) == network_of(same), expected, "{one} {same}");
        }
    }

    #[test]
    fn strangers_go_before_those_at_rest_and_nobody_at_work_goes() {
        let seats = Seats::new(LIMITS);
        let all: Vec<_> = (1..=5).map(|n| from(&seats, &format!("10.0.0.{n}")).unwrap()).collect();
        for n in [1, 0, 2, 3] {
            all[n].at_work();
        }
        for n in [1, 0] {
            all[n].resting();
        }
        let mut new = Vec::new();
        for leaves in [4, 1, 0] {
            assert!(!lost(&all[leaves]));
            new.push(from(&seats, "10.0.1.1").unwrap());
            assert!(lost(&all[leaves]), "{leaves}");
            new.last().unwrap().at_work();
        }
        assert!(from(&seats, "10.0.2.1").is_none(), "all are at work");
        drop(new);
        assert!(from(&seats, "10.0.2.1").is_some(), "a seat is given back");
    }

    #[test]
    fn who_was_displaced_takes_nobody_elses_seat_along() {
        let seats = Seats::new(Limits { total: 1, per_address: 1 });
        let first = from(&seats, "10.0.0.1").unwrap();
        let second = from(&seats, "10.0.0.1").unwrap();
        assert!(lost(&first));
        first.at_work();
        drop(first);
        assert!(!lost(&second) && seats.table.lock().taken.len() == 1);
    }
}
