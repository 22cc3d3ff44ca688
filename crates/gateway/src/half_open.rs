//! Connections that have not shown a CONNECT yet: bounded in total and per address, where the oldest one goes, and in
//! the bytes that they have sent, where the largest one goes.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Why a connection was given up before its CONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// It had not sent a whole CONNECT in time.
    TooSlow,
    /// Newer connections needed its place.
    Displaced,
    /// The gateway stops.
    Stopping,
}

/// How many connections may be half open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HalfOpenLimits {
    /// In the whole gateway.
    pub total: usize,
    /// From one IPv4 address, or from one IPv6 network of 64 bits.
    pub per_address: usize,
    /// Memory in the whole gateway for what they have sent. Over it those that hold most go, so that nobody who sends
    /// an ordinary CONNECT is in the way of those who send large ones.
    pub bytes: usize,
}

impl Default for HalfOpenLimits {
    fn default() -> Self {
        Self { total: 4096, per_address: 1024, bytes: 32 * 1024 * 1024 }
    }
}

/// All half-open connections of a gateway, oldest first.
#[derive(Debug)]
pub(crate) struct HalfOpen {
    limits: HalfOpenLimits,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    entries: BTreeMap<u64, Entry>,
    by_network: HashMap<IpAddr, BTreeSet<u64>>,
    /// Those that hold bytes: how many, and who; among equals the younger one is the larger.
    by_bytes: BTreeSet<(usize, u64)>,
    /// The sum of them.
    bytes: usize,
    arrivals: u64,
}

#[derive(Debug)]
struct Entry {
    network: IpAddr,
    bytes: usize,
    give_up: oneshot::Sender<GivenUp>,
}

/// A place in the table; given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    half_open: Arc<HalfOpen>,
    arrival: u64,
}

impl HalfOpen {
    pub(crate) fn new(limits: HalfOpenLimits) -> Arc<Self> {
        Arc::new(Self { limits, table: Mutex::default() })
    }

    /// A place for a new connection from `address`. It is always given: where a limit is reached, the oldest
    /// connection that counts towards it is told to go. The receiver hears when this one's time has come.
    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> (Place, oneshot::Receiver<GivenUp>) {
        let network = network_of(address);
        let (give_up, given_up) = oneshot::channel();
        let mut table = self.table.lock();
        let crowded = table.by_network.get(&network).filter(|arrivals| arrivals.len() >= self.limits.per_address);
        if let Some(oldest) = crowded.and_then(|arrivals| arrivals.first()).copied() {
            table.remove(oldest).map(|entry| entry.give_up.send(GivenUp::Displaced));
        }
        if table.entries.len() >= self.limits.total {
            table.displace_oldest();
        }
        let arrival = table.arrivals;
        table.arrivals += 1;
        table.entries.insert(arrival, Entry { network, bytes: 0, give_up });
        table.by_network.entry(network).or_default().insert(arrival);
        (Place { half_open: self.clone(), arrival }, given_up)
    }

    /// Tells the oldest connection to go; whether there was one. For when descriptors run out.
    pub(crate) fn displace_oldest(&self) -> bool {
        self.table.lock().displace_oldest()
    }

    /// How many places are taken.
    pub(crate) fn len(&self) -> usize {
        self.table.lock().entries.len()
    }
}

impl Place {
    /// Tells this connection to go.
    pub(crate) fn give_up(half_open: &HalfOpen, arrival: u64, why: GivenUp) {
        let entry = half_open.table.lock().remove(arrival);
        entry.map(|entry| entry.give_up.send(why));
    }

    /// Tells that the connection holds `bytes` of what its client has sent. When that makes too many in all, those that
    /// hold most are told to go, this one perhaps.
    pub(crate) fn hold(&self, bytes: usize) {
        let mut table = self.half_open.table.lock();
        table.hold(self.arrival, bytes);
        while table.bytes > self.half_open.limits.bytes {
            let Some((_, largest)) = table.by_bytes.last().copied() else { return };
            table.remove(largest).map(|entry| entry.give_up.send(GivenUp::Displaced));
        }
    }

    /// The number under which `give_up` finds it.
    pub(crate) fn arrival(&self) -> u64 {
        self.arrival
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.half_open.table.lock().remove(self.arrival);
    }
}

impl Table {
    fn displace_oldest(&mut self) -> bool {
        let Some(oldest) = self.entries.first_key_value().map(|(arrival, _)| *arrival) else { return false };
        self.remove(oldest).is_some_and(|entry| entry.give_up.send(GivenUp::Displaced).is_ok())
    }

    fn hold(&mut self, arrival: u64, bytes: usize) {
        // One that was told to go is not listed any more.
        let Some(entry) = self.entries.get_mut(&arrival) else { return };
        let before = std::mem::replace(&mut entry.bytes, bytes);
        self.bytes = self.bytes - before + bytes;
        self.by_bytes.remove(&(before, arrival));
        if bytes > 0 {
            self.by_bytes.insert((bytes, arrival));
        }
    }

    fn remove(&mut self, arrival: u64) -> Option<Entry> {
        self.hold(arrival, 0);
        let entry = self.entries.remove(&arrival)?;
        let arrivals = self.by_network.get_mut(&entry.network).expect("every entry is listed under its network");
        arrivals.remove(&arrival);
        if arrivals.is_empty() {
            self.by_network.remove(&entry.network);
        }
        Some(entry)
    }
}

/// What counts as one address: an IPv6 peer owns at least the lower half of the bits.
fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests;
