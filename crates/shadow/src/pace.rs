//! How many requests the shadows of one thing may have: in a second, and at once.
//!
//! AWS: general reference, "AWS IoT Device Shadow service quotas".

use std::collections::HashMap;

use tidegate_ids::{Monotonic, Rate, Tenant, ThingName};

/// Most things that are known at once. Beyond it requests for others are refused until one of these has been quiet for a second.
const THINGS_MAX: usize = 4096;
/// So many things are known before a first look at which of them are quiet.
const SWEEP_MIN: usize = 256;

/// How many requests are too many. `None`: none are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// In a second.
    pub per_second: Option<u32>,
    /// Not answered yet.
    pub in_flight_max: Option<u32>,
}

impl Pace {
    /// No limits.
    pub const UNLIMITED: Self = Self { per_second: None, in_flight_max: None };
}

/// What the things of a few accounts have asked lately. Those that ask nothing, or without a limit, are not known.
#[derive(Debug)]
pub struct Paces {
    things: HashMap<(Tenant, ThingName), Going>,
    sweep_at: usize,
}

/// What one thing has asked.
#[derive(Debug, Default)]
struct Going {
    rate: Rate,
    in_flight: u32,
}

impl Default for Paces {
    fn default() -> Self {
        Self { things: HashMap::new(), sweep_at: SWEEP_MIN }
    }
}

impl Paces {
    /// A request begins: it goes on until [`Self::end`]. False, and there is nothing to end, when it is one too many.
    pub fn begin(&mut self, of: (Tenant, &ThingName), pace: Pace, now: Monotonic) -> bool {
        let key = (of.0, of.1.clone());
        if !self.things.contains_key(&key) && !self.has_room(now) {
            return false;
        }
        let going = self.things.entry(key).or_default();
        if pace.in_flight_max.is_some_and(|max| going.in_flight >= max) {
            return false;
        }
        let allowed = pace.per_second.is_none_or(|per_second| going.rate.take(per_second, now));
        going.in_flight += u32::from(allowed);
        allowed
    }

    /// A request that had begun is answered.
    pub fn end(&mut self, of: (Tenant, &ThingName)) {
        if let Some(going) = self.things.get_mut(&(of.0, of.1.clone())) {
            going.in_flight = going.in_flight.saturating_sub(1);
        }
    }

    /// Requests that have begun and are not answered.
    pub fn in_flight(&self) -> u32 {
        self.things.values().map(|going| going.in_flight).sum()
    }

    /// Forgets who is quiet, when there are twice as many as were left the last time.
    fn has_room(&mut self, now: Monotonic) -> bool {
        if self.things.len() >= self.sweep_at {
            self.things.retain(|_, going| going.in_flight > 0 || !going.rate.is_full(now));
            self.sweep_at = (self.things.len() * 2).clamp(SWEEP_MIN, THINGS_MAX);
        }
        self.things.len() < THINGS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWS: Pace = Pace { per_second: Some(20), in_flight_max: Some(10) };

    fn tenant() -> Tenant {
        Tenant { account: "111111111111".parse().unwrap(), region: "us-east-1".parse().unwrap() }
    }

    fn thing(number: usize) -> ThingName {
        format!("t{number}").parse().unwrap()
    }

    fn at(millis: u64) -> Monotonic {
        Monotonic::from_millis(1000 + millis)
    }

    #[test]
    fn ten_are_in_flight_and_twenty_begin_in_a_second_for_each_thing() {
        let mut paces = Paces::default();
        let (one, other) = (&thing(1), &thing(2));
        let begun = (0..30).filter(|_| paces.begin((tenant(), one), AWS, at(0))).count();
        assert_eq!(begun, 10);
        assert!(paces.begin((tenant(), other), AWS, at(0)));
        let begun = (0..30)
            .filter(|_| {
                paces.end((tenant(), one));
                paces.begin((tenant(), one), AWS, at(0))
            })
            .count();
        assert_eq!(begun, 10, "20 in this second");
        assert!(paces.begin((tenant(), one), AWS, at(51)), "and one more each 50 ms");
        let standard = (0..1000).filter(|_| paces.begin((tenant(), one), Pace::UNLIMITED, at(51))).count();
        assert_eq!(standard, 1000);
    }

    #[test]
    fn who_is_quiet_is_forgotten_and_there_are_not_too_many() {
        let mut paces = Paces::default();
        let begun = |paces: &mut Paces, from: usize, millis| {
            (from..from + 5000).filter(|number| paces.begin((tenant(), &thing(*number)), AWS, at(millis))).count()
        };
        assert_eq!(begun(&mut paces, 0, 0), THINGS_MAX);
        assert_eq!(begun(&mut paces, 5000, 2000), 0, "all are in flight");
        (0..5000).for_each(|number| paces.end((tenant(), &thing(number))));
        assert_eq!(begun(&mut paces, 10_000, 4000), THINGS_MAX);
        assert!(paces.things.len() <= THINGS_MAX);
    }
}
