//! What one device has received of the streams that it subscribes to.

use tidegate_mqtt::{QoS, topic};

use super::{Streams, Verdict};
use crate::mark::Mark;

/// What one device has received.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    /// One for each stream that a filter matches, by stream.
    tracks: Vec<Track>,
    /// Holes of sessions that have ended: stream and numbers.
    ended: Vec<(u32, u32, u32)>,
    /// Whether something is subscribed to that is not judged: shared subscriptions.
    shared: Vec<Box<str>>,
    verdict: Verdict,
}

/// One stream as one device has received it.
#[derive(Debug)]
struct Track {
    stream: u32,
    /// Numbers below it need not come: they were sent before the subscription was acknowledged.
    from: u32,
    /// One more than the highest number that has come, or `from`.
    next: u32,
    /// Numbers between that have not come: from, to (not included). Empty while all goes well.
    holes: Vec<(u32, u32)>,
    granted: QoS,
    /// How many filters match: so many copies may come.
    copies: u8,
    open: bool,
}

/// What a message was to its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It is new.
    New,
    /// It has come before, or is not judged.
    Known,
}

impl Inbox {
    /// All filters are subscribed to, with these QoS: from now on everything has to come.
    ///
    /// Streams that are followed already (the session was kept) go on as they are.
    pub(crate) fn open<'f>(&mut self, granted: impl Iterator<Item = (&'f str, QoS)>, streams: &Streams) {
        let mut found: Vec<(u32, QoS)> = Vec::new();
        self.shared.clear();
        for (filter, qos) in granted {
            match topic::Shared::parse(filter) {
                Some(shared) => self.shared.push(shared.topic_filter.into()),
                None => found.extend(streams.matching(filter).map(|stream| (stream, qos))),
            }
        }
        found.sort_unstable_by_key(|(stream, _)| *stream);
        let old = std::mem::take(&mut self.tracks);
        let mut old = old.into_iter().peekable();
        self.tracks.reserve_exact(found.chunk_by(|a, b| a.0 == b.0).count());
        for copies in found.chunk_by(|a, b| a.0 == b.0) {
            let stream = copies[0].0;
            let granted = copies.iter().map(|(_, qos)| *qos).max().unwrap_or_default();
            while old.next_if(|track| track.stream < stream).is_some() {}
            let known = old.next_if(|track| track.stream == stream);
            let from = streams.sent(stream);
            let copies = copies.len().try_into().unwrap_or(u8::MAX);
            self.tracks.push(match known {
                Some(track) if track.open => Track { granted, copies, ..track },
                Some(_) | None => Track { stream, from, next: from, holes: Vec::new(), granted, copies, open: true },
            });
        }
    }

    /// The session has ended: what has not come yet will not, and need not unless something later has.
    pub(crate) fn close(&mut self) {
        for track in self.tracks.iter_mut().filter(|track| track.open) {
            self.verdict.verified += u64::from(track.next - track.from);
            self.ended.extend(track.holes.drain(..).map(|(from, to)| (track.stream, from, to)));
            track.open = false;
        }
    }

    /// A message with a mark of this run has come.
    pub(crate) fn see(&mut self, mark: Mark, topic_name: &str, dup: bool, retained: bool, streams: &Streams) -> Seen {
        let Mark { stream, seq, .. } = mark;
        match streams.get(stream) {
            Some(of) if *of.topic == *topic_name => {}
            Some(_) | None => {
                self.verdict.misrouted += 1;
                return Seen::Known;
            }
        }
        let shared = self.shared.iter().any(|filter| topic::matches(filter, topic_name));
        let Ok(at) = self.tracks.binary_search_by_key(&stream, |track| track.stream) else {
            if shared {
                self.verdict.unjudged += 1;
                return Seen::New;
            }
            self.verdict.unexpected += 1;
            return Seen::Known;
        };
        let track = &mut self.tracks[at];
        if retained || shared || !track.open || seq < track.from {
            self.verdict.unjudged += 1;
            return Seen::Known;
        }
        if seq >= track.next {
            if seq > track.next {
                track.holes.push((track.next, seq));
            }
            track.next = seq + 1;
            return Seen::New;
        }
        if track.fill(seq) {
            // The publisher's own second attempt may come after later ones.
            if !streams.is_resent(stream, seq) {
                self.verdict.reordered += 1;
            }
            return Seen::New;
        }
        let qos = track.qos(streams);
        if track.copies > 1 {
            self.verdict.unjudged += 1;
        } else if qos == QoS::AtLeastOnce && (dup || streams.is_resent(stream, seq)) {
            self.verdict.redelivered += 1;
        } else {
            self.verdict.duplicated += 1;
        }
        Seen::Known
    }

    /// A message without a mark of this run has come.
    pub(crate) fn see_foreign(&mut self) {
        self.verdict.foreign += 1;
    }

    /// Whether everything has come that still can.
    pub(crate) fn is_complete(&self, streams: &Streams) -> bool {
        let waits = |track: &Track| {
            let missing = |from, to| to - from > streams.abandoned_in(track.stream, from, to);
            let sent = streams.sent(track.stream);
            let at_the_end = track.next < sent && missing(track.next, sent);
            track.open && (at_the_end || track.holes.iter().any(|(from, to)| missing(*from, *to)))
        };
        !self.tracks.iter().any(waits)
    }

    /// What it all came to. To be asked once, at the end.
    pub(crate) fn judge(&mut self, streams: &Streams) -> Verdict {
        for track in self.tracks.iter_mut().filter(|track| track.open) {
            let sent = streams.sent(track.stream);
            if track.next < sent {
                track.holes.push((track.next, sent));
            }
            track.next = track.next.max(sent);
        }
        self.close();
        for (stream, from, to) in std::mem::take(&mut self.ended) {
            let missing = u64::from(to - from);
            let excused = u64::from(streams.abandoned_in(stream, from, to));
            let lost = missing.saturating_sub(excused);
            self.verdict.verified -= missing;
            let at = self.tracks.binary_search_by_key(&stream, |track| track.stream);
            match at.map(|at| self.tracks[at].qos(streams)) {
                Ok(QoS::AtMostOnce) => self.verdict.lost_qos0 += lost,
                Ok(QoS::AtLeastOnce | QoS::ExactlyOnce) | Err(_) => {
                    self.verdict.lost += lost;
                    self.verdict.verified += lost;
                }
            }
        }
        self.verdict
    }
}

impl Track {
    /// The QoS that its messages come with.
    fn qos(&self, streams: &Streams) -> QoS {
        streams.get(self.stream).map_or(self.granted, |stream| stream.qos.min(self.granted))
    }

    /// Takes a number out of the holes; whether it was in one.
    fn fill(&mut self, seq: u32) -> bool {
        let Some(at) = self.holes.iter().position(|(from, to)| (*from..*to).contains(&seq)) else { return false };
        let (from, to) = self.holes.remove(at);
        if from < seq {
            self.holes.push((from, seq));
        }
        if seq + 1 < to {
            self.holes.push((seq + 1, to));
        }
        true
    }
}
