//! How much of one connection is handled before others get their turn.

use std::time::{Duration, Instant};

use tidegate_mqtt::Packet;

/// What the packets of a turn may weigh: 128 that ask for something.
const WEIGHT_MAX: usize = 128 * WEIGHT;
/// What a packet weighs.
const WEIGHT: usize = 8;
/// What one weighs that only ends an exchange: who subscribes to what many publish owes one for each message of theirs, and
/// if fewer were handled in a turn than messages come in one, all of them would wait for it.
const WEIGHT_OF_END: usize = 1;
/// How long the packets of a turn may take: they differ by orders of magnitude in what they make the broker do.
const TIME_MAX: Duration = Duration::from_millis(2);
/// Packets before the first look at the clock, from which the time counts: most turns are over by then.
const PACKETS_BEFORE_LOOKS: usize = 8;
/// Packets between two looks, when the ones before took long.
const PACKETS_PER_LOOK: usize = 4;
/// The same, while all packets together took no longer than [`QUICK`].
const QUICK_PACKETS_PER_LOOK: usize = 16;
/// Some hundred packets of the usual kind.
const QUICK: Duration = Duration::from_micros(50);

/// What is left of one connection's turn.
#[derive(Debug)]
pub(super) struct Allowance {
    weight: usize,
    /// Packets until the next look at the clock.
    until_look: usize,
    /// When the clock was looked at first.
    began: Option<Instant>,
}

impl Allowance {
    pub(super) fn new() -> Self {
        Self { weight: WEIGHT_MAX, until_look: PACKETS_BEFORE_LOOKS, began: None }
    }

    /// Takes note of a packet that was handled: whether there may be another. `clock` reads real time, seldom.
    #[inline]
    pub(super) fn spend(&mut self, packet: &Packet<'_>, clock: impl FnOnce() -> Instant) -> bool {
        let weight = match packet {
            Packet::PubAck(_) | Packet::PubComp(_) => WEIGHT_OF_END,
            _ => WEIGHT,
        };
        self.weight = self.weight.saturating_sub(weight);
        self.until_look -= 1;
        self.weight > 0 && (self.until_look > 0 || self.has_time(clock()))
    }

    fn has_time(&mut self, now: Instant) -> bool {
        let took = self.began.map(|began| now.duration_since(began));
        self.began.get_or_insert(now);
        let is_quick = took.is_some_and(|took| took < QUICK);
        self.until_look = if is_quick { QUICK_PACKETS_PER_LOOK } else { PACKETS_PER_LOOK };
        took.is_none_or(|took| took < TIME_MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use tidegate_mqtt::{Ack, Publish, ReasonCode};

    use super::*;

    /// Packets of one turn, when each takes so long; and looks at the clock.
    fn turn(packet: &Packet<'_>, each: Duration) -> (usize, usize) {
        let (start, mut allowance, mut looks) = (Instant::now(), Allowance::new(), 0);
        for number in 1.. {
            let clock = || {
                looks += 1;
                start + each * number
            };
            if !allowance.spend(packet, clock) {
                return (number as usize, looks);
            }
        }
        unreachable!("an allowance ends")
    }

    #[test]
    fn a_turn_ends_by_weight_or_by_time() {
        let ack = || Ack::new(NonZeroU16::MIN, ReasonCode::Success);
        let publish = Packet::Publish(Publish::new("a", b""));
        for (packet, each_us, packets) in [
            (&publish, 0, 128),
            (&Packet::PingReq, 1, 128),
            (&Packet::PubRec(ack()), 0, 128),
            (&Packet::PubAck(ack()), 0, 1024),
            (&Packet::PubComp(ack()), 1, 1024),
            // Two milliseconds from the eighth packet on.
            (&publish, 100, 28),
            (&Packet::PubAck(ack()), 10, 208),
            (&publish, 5_000, 12),
        ] {
            assert_eq!(turn(packet, Duration::from_micros(each_us)).0, packets, "{packet:?}, {each_us} µs each");
        }
    }

    #[test]
    fn the_clock_is_looked_at_seldom() {
        assert_eq!(turn(&Packet::PingReq, Duration::ZERO).1, 9);
    }
}
