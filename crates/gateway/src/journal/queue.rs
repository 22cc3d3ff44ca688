//! The log of one session's messages: chunks of references, and how far the client is.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::rows::{Progress, Reference};

/// Where a body is: segment and index in it.
pub(super) type Place = (u64, u32);

/// One session's messages, as far as they are on disk or on their way there.
#[derive(Debug, Default)]
pub(super) struct Queue {
    chunks: VecDeque<Chunk>,
    progress: Progress,
}

/// What one commit queued for the session.
#[derive(Debug)]
struct Chunk {
    entries: Vec<Entry>,
    /// Entries not finished.
    live: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    sequence: u64,
    place: Place,
    live: bool,
}

/// What became of a message that is done with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Finished {
    /// Its body has one reference less.
    pub(super) place: Option<Place>,
    /// First sequence number of its chunk, when that can go.
    pub(super) chunk: Option<u64>,
}

impl Queue {
    /// A session that has got as far as `progress`.
    pub(super) fn restored(progress: Progress) -> Self {
        Self { progress, ..Self::default() }
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Take a chunk, which is behind all others and not empty.
    pub(super) fn push(&mut self, references: &[Reference]) {
        let entry = |reference: &Reference| Entry {
            sequence: reference.sequence,
            place: (reference.segment, reference.index),
            live: !self.progress.is_finished(reference.sequence),
        };
        let entries: Vec<_> = references.iter().map(entry).collect();
        let live = entries.iter().filter(|entry| entry.live).count();
        self.chunks.push_back(Chunk { entries, live });
    }

    /// Places of the bodies that are still needed.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        let entries = self.chunks.iter().flat_map(|chunk| &chunk.entries);
        entries.filter(|entry| entry.live).map(|entry| entry.place)
    }

    /// First sequence numbers of the chunks.
    pub(super) fn chunk_keys(&self) -> impl Iterator<Item = u64> {
        self.chunks.iter().map(|chunk| chunk.first())
    }

    /// The number of the next message.
    pub(super) fn next_sequence(&self) -> u64 {
        let last = self.chunks.back().and_then(|chunk| chunk.entries.last()).map_or(0, |entry| entry.sequence);
        let released = self.progress.released.last().copied().unwrap_or(0);
        let done = self.progress.done.last_key_value().map_or(0, |(_, behind)| *behind);
        (last.max(released) + 1).max(done).max(self.progress.cursor).max(1)
    }

    /// The client has the QoS 2 message `sequence`.
    pub(super) fn release(&mut self, sequence: u64) {
        self.progress.released.insert(sequence);
    }

    /// The message `sequence` is done with.
    pub(super) fn finish(&mut self, sequence: u64) -> Finished {
        self.progress.finish(sequence);
        let at = self.chunks.partition_point(|chunk| chunk.first() <= sequence);
        let Some(at) = at.checked_sub(1) else { return Finished::default() };
        let chunk = &mut self.chunks[at];
        let Ok(found) = chunk.entries.binary_search_by_key(&sequence, |entry| entry.sequence) else {
            return Finished::default();
        };
        let entry = &mut chunk.entries[found];
        if !std::mem::replace(&mut entry.live, false) {
            return Finished::default();
        }
        let place = Some(entry.place);
        chunk.live -= 1;
        let chunk = (chunk.live == 0).then(|| chunk.first());
        if chunk.is_some() {
            self.chunks.remove(at);
        }
        Finished { place, chunk }
    }

    /// A QoS 2 packet id of the client is in use, or is not any more.
    pub(super) fn receive(&mut self, packet_id: u16, in_use: bool) {
        match in_use {
            true => self.progress.received.insert(packet_id),
            false => self.progress.received.remove(&packet_id),
        };
    }
}

impl Chunk {
    fn first(&self) -> u64 {
        self.entries[0].sequence
    }
}

/// Nothing is finished; the first sequence number is 1.
impl Default for Progress {
    fn default() -> Self {
        Self { cursor: 1, done: BTreeMap::new(), released: BTreeSet::new(), received: BTreeSet::new() }
    }
}

impl Progress {
    pub(super) fn is_finished(&self, sequence: u64) -> bool {
        let in_run = |(_, behind): (&u64, &u64)| sequence < *behind;
        sequence < self.cursor || self.done.range(..=sequence).next_back().is_some_and(in_run)
    }

    /// Note that `sequence` is finished: the cursor moves over what is finished without a gap.
    fn finish(&mut self, sequence: u64) {
        self.released.remove(&sequence);
        if self.is_finished(sequence) {
            return;
        }
        if sequence == self.cursor {
            self.cursor += 1;
        } else {
            join(&mut self.done, sequence);
        }
        while let Some(first) = self.done.first_entry().filter(|first| *first.key() <= self.cursor) {
            self.cursor = self.cursor.max(first.remove());
        }
    }
}

/// Add `sequence`, which is in no run, to the runs.
fn join(runs: &mut BTreeMap<u64, u64>, sequence: u64) {
    let behind = runs.remove(&(sequence + 1)).unwrap_or(sequence + 1);
    match runs.range_mut(..sequence).next_back() {
        Some((_, end)) if *end == sequence => *end = behind,
        Some(_) | None => {
            runs.insert(sequence, behind);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tidegate_mqtt::QoS;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever the order: runs say what a set would, the cursor is before the first gap, and runs never touch.
        #[test]
        fn runs_are_a_set(finished in prop::collection::vec(1u64..40, 0..60)) {
            let mut progress = Progress::default();
            let mut model = BTreeSet::new();
            for sequence in finished {
                progress.finish(sequence);
                model.insert(sequence);
                for n in 1..42 {
                    prop_assert_eq!(progress.is_finished(n), model.contains(&n), "{} of {:?}", n, progress);
                }
                prop_assert!(!model.contains(&progress.cursor));
                let ends: Vec<_> = progress.done.iter().map(|(first, behind)| (*first, *behind)).collect();
                prop_assert!(ends.windows(2).all(|pair| pair[0].1 < pair[1].0));
                prop_assert!(ends.first().is_none_or(|(first, _)| *first > progress.cursor));
            }
        }
    }

    #[test]
    fn a_chunk_goes_with_its_last_message() {
        let mut queue = Queue::restored(Progress::default());
        let reference = |sequence| Reference {
            sequence,
            qos: QoS::AtLeastOnce,
            retain: false,
            identifiers: None,
            group: None,
            segment: 7,
            index: sequence as u32,
        };
        queue.push(&[reference(1), reference(2)]);
        queue.push(&[reference(3)]);
        assert_eq!(queue.finish(2), Finished { place: Some((7, 2)), chunk: None });
        assert_eq!(queue.finish(2), Finished::default());
        assert_eq!(queue.finish(3), Finished { place: Some((7, 3)), chunk: Some(3) });
        assert_eq!(queue.places().collect::<Vec<_>>(), [(7, 1)]);
        assert_eq!(queue.finish(1), Finished { place: Some((7, 1)), chunk: Some(1) });
        assert_eq!((queue.next_sequence(), queue.chunk_keys().count()), (4, 0));
    }
}
