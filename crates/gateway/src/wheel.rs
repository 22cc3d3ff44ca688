//! The timer wheel of one core: all deadlines of its connections, in monotonic time.

use std::num::NonZeroU32;

use slab::Slab;
use tidegate_ids::Monotonic;

/// Length of a tick. A deadline fires at the first tick that is not before it, so up to this much late.
const TICK_MILLIS: u64 = 32;
/// Buckets in the wheel; with the tick above, one round is 131 seconds. A later deadline stays in its bucket for
/// some rounds and is looked at once in each.
const BUCKETS: usize = 4096;
const WORDS: usize = BUCKETS / 64;
const NONE: u32 = u32::MAX;

/// Names a deadline, also after it has fired; it is never given to another one (within 2^32 of them).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimerId {
    key: u32,
    serial: NonZeroU32,
}

/// A hashed timing wheel with O(1) arming and cancelling. It reads no clock.
///
/// Memory follows the number of armed timers: a cancelled one leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Wheel<T> {
    timers: Slab<Timer<T>>,
    heads: Box<[u32]>,
    occupied: [u64; WORDS],
    /// The first tick that has not been gone through.
    tick: u64,
    /// Of the last timer.
    serial: NonZeroU32,
}

#[derive(Debug)]
struct Timer<T> {
    tick: u64,
    serial: NonZeroU32,
    what: T,
    previous: u32,
    next: u32,
}

impl<T> Wheel<T> {
    /// An empty wheel that stands at `now`.
    pub(crate) fn new(now: Monotonic) -> Self {
        Self {
            timers: Slab::new(),
            heads: vec![NONE; BUCKETS].into_boxed_slice(),
            occupied: [0; WORDS],
            tick: now.millis() / TICK_MILLIS,
            serial: NonZeroU32::MIN,
        }
    }

    /// Calls for `what` at `at`, or at the next tick when that is past.
    pub(crate) fn arm(&mut self, at: Monotonic, what: T) -> TimerId {
        let tick = at.millis().div_ceil(TICK_MILLIS).max(self.tick);
        let bucket = bucket_of(tick);
        let next = self.heads[bucket];
        self.serial = self.serial.checked_add(1).unwrap_or(NonZeroU32::MIN);
        let serial = self.serial;
        let key = self.timers.insert(Timer { tick, serial, what, previous: NONE, next }) as u32;
        if let Some(next) = self.timers.get_mut(next as usize) {
            next.previous = key;
        }
        self.heads[bucket] = key;
        self.occupied[bucket / 64] |= 1 << (bucket % 64);
        TimerId { key, serial }
    }

    /// Takes a timer out; `None` when it has fired or was cancelled before.
    pub(crate) fn cancel(&mut self, id: TimerId) -> Option<T> {
        let armed = self.timers.get(id.key as usize).is_some_and(|timer| timer.serial == id.serial);
        armed.then(|| self.take_out(id.key))
    }

    /// Moves all that is due at `now` to `due`, in the order of its ticks.
    ///
    /// Cost: the occupied buckets passed since the last call, at most one round even when the clock leapt.
    pub(crate) fn advance(&mut self, now: Monotonic, due: &mut Vec<T>) {
        let end = now.millis() / TICK_MILLIS;
        if end < self.tick {
            return;
        }
        let mut tick = self.tick;
        let mut steps = (end - tick + 1).min(BUCKETS as u64);
        let leapt = end - tick >= BUCKETS as u64;
        self.tick = end + 1;
        let mut late = Vec::new();
        while steps > 0 {
            let bucket = bucket_of(tick);
            if self.occupied[bucket / 64] & 1 << (bucket % 64) != 0 {
                let mut key = self.heads[bucket];
                while let Some(timer) = self.timers.get(key as usize) {
                    let (tick, next) = (timer.tick, timer.next);
                    if tick <= end {
                        late.push((tick, self.take_out(key)));
                    }
                    key = next;
                }
            }
            tick += 1;
            steps -= 1;
        }
        if leapt {
            late.sort_by_key(|(tick, _)| *tick);
        }
        due.extend(late.into_iter().map(|(_, what)| what));
    }

    /// When to call `advance` next; `None` while nothing is armed. Never later than the earliest deadline's tick.
    pub(crate) fn next(&self) -> Option<Monotonic> {
        if self.timers.is_empty() {
            return None;
        }
        let start = bucket_of(self.tick);
        let (first_word, first_bit) = (start / 64, start % 64);
        // One word more than there are: the first one is looked at from both ends.
        for step in 0..=WORDS {
            let word = (first_word + step) % WORDS;
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << first_bit;
            }
            if bits != 0 {
                let bucket = word * 64 + bits.trailing_zeros() as usize;
                let ahead = (bucket + BUCKETS - start) % BUCKETS;
                return Some(Monotonic::from_millis((self.tick + ahead as u64) * TICK_MILLIS));
            }
        }
        None
    }

    fn take_out(&mut self, key: u32) -> T {
        let timer = self.timers.remove(key as usize);
        let bucket = bucket_of(timer.tick);
        match self.timers.get_mut(timer.previous as usize) {
            Some(previous) => previous.next = timer.next,
            None => self.heads[bucket] = timer.next,
        }
        if let Some(next) = self.timers.get_mut(timer.next as usize) {
            next.previous = timer.previous;
        }
        if self.heads[bucket] == NONE {
            self.occupied[bucket / 64] &= !(1 << (bucket % 64));
        }
        timer.what
    }

    /// How many timers are armed.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.timers.len()
    }
}

fn bucket_of(tick: u64) -> usize {
    (tick % BUCKETS as u64) as usize
}

#[cfg(test)]
mod tests;
