//! Message bodies: how many messages refer to each, and which segments are mostly garbage.

use tidegate_ids::NumberMap;

use super::{
    queue::Place,
    rows::{self, Body},
    wire::{RowError, Writer},
};

/// A segment of at most about this many bytes is one row.
const SEGMENT_BYTES: usize = 1024 * 1024;
/// Garbage up to this stays in a segment as long as anything of it is needed.
const GARBAGE_BYTES: u64 = 16 * 1024;
/// Bodies looked at to find one that is there already: records of one publish are near each other.
const LOOK_BACK: usize = 4;

/// All segments that are on disk or on their way there.
#[derive(Debug, Default)]
pub(super) struct Segments {
    known: NumberMap<Segment>,
    /// The number of the next one.
    next: u64,
    /// Segments that are mostly garbage.
    wasteful: Vec<u64>,
    /// Bytes of the last row that was closed: room for the next, which is mostly like it.
    last_bytes: usize,
}

#[derive(Debug, Default)]
struct Segment {
    bodies: Vec<Counted>,
    /// Bytes of bodies, and of those that are needed.
    bytes: u64,
    live_bytes: u64,
}

impl Segment {
    /// Whether most of it, and more than a little, is garbage.
    fn is_wasteful(&self) -> bool {
        self.bytes - self.live_bytes > GARBAGE_BYTES.max(self.live_bytes * 3)
    }
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    references: u32,
    bytes: u32,
}

/// The segment that a commit fills.
#[derive(Default)]
pub(super) struct Open {
    row: Option<Writer>,
    latest: Vec<(Body, Place)>,
    /// Complete segments, to be written.
    pub(super) rows: Vec<(u64, Vec<u8>)>,
}

impl Segments {
    /// Numbers begin behind `number`.
    pub(super) fn reserve(&mut self, number: u64) {
        self.next = self.next.max(number + 1);
    }

    /// Note a segment that is on disk, with bodies of these sizes that nobody refers to yet.
    pub(super) fn restore(&mut self, number: u64, sizes: impl IntoIterator<Item = usize>) {
        self.reserve(number);
        let bodies: Vec<_> = sizes
            .into_iter()
            .map(|bytes| Counted { references: 0, bytes: u32::try_from(bytes).unwrap_or(u32::MAX) })
            .collect();
        let bytes = bodies.iter().map(|body| u64::from(body.bytes)).sum();
        self.known.insert(number, Segment { bodies, bytes, live_bytes: 0 });
    }

    /// One more reference to a body that is there; false when none is.
    pub(super) fn refer(&mut self, (segment, index): Place) -> bool {
        let Some(segment) = self.known.get_mut(&segment) else { return false };
        let Some(body) = segment.bodies.get_mut(index as usize) else { return false };
        if body.references == 0 {
            segment.live_bytes += u64::from(body.bytes);
        }
        body.references += 1;
        true
    }

    /// Put a body into the open segment, unless it is one of the last; with one reference more.
    pub(super) fn add(&mut self, body: Body, open: &mut Open) -> Place {
        let same =
            |(known, _): &&(Body, Place)| known.message.is_same(&body.message) && known.expires_at == body.expires_at;
        if let Some(&(_, place)) = open.latest.iter().rev().find(same) {
            self.refer(place);
            return place;
        }
        if open.row.as_ref().is_some_and(|row| row.len() > SEGMENT_BYTES) {
            self.close(open);
        }
        let row = open.row.get_or_insert_with(|| Writer::with_capacity(self.last_bytes));
        let before = row.len();
        rows::write_body(Some(&body), row);
        let bytes = (row.len() - before) as u64;
        let segment = self.known.entry(self.next).or_default();
        let place = (self.next, segment.bodies.len() as u32);
        segment.bodies.push(Counted { references: 1, bytes: bytes as u32 });
        segment.bytes += bytes;
        segment.live_bytes += bytes;
        if open.latest.len() == LOOK_BACK {
            open.latest.remove(0);
        }
        open.latest.push((body, place));
        place
    }

    /// Complete the open segment, if anything is in it.
    pub(super) fn close(&mut self, open: &mut Open) {
        if let Some(row) = open.row.take() {
            self.last_bytes = row.len().min(SEGMENT_BYTES);
            open.rows.push((self.next, row.finish()));
            self.next += 1;
        }
    }

    /// One reference less; whether the segment is not needed any more, and forgotten.
    pub(super) fn release(&mut self, (number, index): Place) -> bool {
        let Some(segment) = self.known.get_mut(&number) else { return false };
        let Some(body) = segment.bodies.get_mut(index as usize) else { return false };
        body.references = body.references.saturating_sub(1);
        if body.references > 0 {
            return false;
        }
        segment.live_bytes -= u64::from(body.bytes);
        // The open segment is not a row yet.
        if segment.live_bytes == 0 && number != self.next {
            self.known.remove(&number);
            return true;
        }
        if segment.is_wasteful() {
            self.wasteful.push(number);
        }
        false
    }

    /// Whether `number` is a segment that nobody needs, once it is no longer open.
    pub(super) fn forget_if_unused(&mut self, number: u64) -> bool {
        let unused = self.known.get(&number).is_some_and(|segment| segment.live_bytes == 0);
        if unused {
            self.known.remove(&number);
        }
        unused
    }

    /// All references are there: segments that nobody refers to, which are forgotten.
    pub(super) fn take_unused(&mut self) -> Vec<u64> {
        let unused: Vec<u64> =
            self.known.iter().filter(|(_, segment)| segment.live_bytes == 0).map(|(number, _)| *number).collect();
        unused.iter().for_each(|number| {
            self.known.remove(number);
        });
        let wasteful = self.known.iter().filter(|(_, segment)| segment.is_wasteful());
        self.wasteful = wasteful.map(|(number, _)| *number).collect();
        unused
    }

    /// A segment that is mostly garbage, to be read and given to [`compact`](Self::compact).
    pub(super) fn next_wasteful(&mut self) -> Option<u64> {
        while let Some(number) = self.wasteful.pop() {
            if self.known.get(&number).is_some_and(Segment::is_wasteful) {
                return Some(number);
            }
        }
        None
    }

    /// The row of segment `number` without the bodies that nobody needs; places stay as they are. `None`: it is not
    /// needed at all any more.
    pub(super) fn compact(&mut self, number: u64, row: &[u8]) -> Result<Option<Vec<u8>>, RowError> {
        let Some(segment) = self.known.get_mut(&number) else { return Ok(None) };
        let bodies = rows::split_segment(row)?;
        let mut compacted = Writer::new();
        for (counted, body) in segment.bodies.iter_mut().zip(bodies) {
            if counted.references > 0 {
                compacted.bytes(body);
            } else {
                rows::write_body(None, &mut compacted);
                segment.bytes -= u64::from(std::mem::take(&mut counted.bytes));
            }
        }
        Ok(Some(compacted.finish()))
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}
