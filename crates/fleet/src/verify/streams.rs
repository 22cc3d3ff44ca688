//! What is published: every stream, how far it has come, and which of its messages nobody can be blamed for.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering},
};

use parking_lot::Mutex;
use tidegate_mqtt::{QoS, topic};

/// One publication of one device.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) topic: Box<str>,
    pub(crate) qos: QoS,
    /// Whether its messages carry a mark.
    pub(crate) verified: bool,
    /// How many messages have been handed to a connection.
    sent: AtomicU32,
}

impl Stream {
    pub(crate) fn new(topic: String, qos: QoS, verified: bool) -> Self {
        Self { topic: topic.into(), qos, verified, sent: AtomicU32::new(0) }
    }
}

/// All streams of a run, shared by its threads.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    all: Vec<Stream>,
    /// Numbers of the verified streams, by topic.
    by_topic: Vec<u32>,
    excuses: Mutex<HashMap<u32, Excuses>>,
}

/// Messages of a stream that are judged mildly. Few, so lists serve.
#[derive(Debug, Default)]
struct Excuses {
    /// Their publisher does not know what became of them, or the broker refused them.
    abandoned: Vec<u32>,
    /// Their publisher sent them again.
    resent: Vec<u32>,
}

impl Streams {
    pub(crate) fn new(all: Vec<Stream>) -> Self {
        // A run has fewer than 2^32 streams: each takes some 60 bytes.
        let mut by_topic: Vec<u32> =
            (0_u32..).zip(&all).filter(|(_, stream)| stream.verified).map(|(number, _)| number).collect();
        by_topic.sort_unstable_by(|a, b| all[*a as usize].topic.cmp(&all[*b as usize].topic));
        Self { all, by_topic, excuses: Mutex::default() }
    }

    pub(crate) fn get(&self, stream: u32) -> Option<&Stream> {
        self.all.get(stream as usize)
    }

    /// How many messages of `stream` have been handed to a connection.
    pub(crate) fn sent(&self, stream: u32) -> u32 {
        self.all[stream as usize].sent.load(Ordering::Acquire)
    }

    /// Says so, before the message can leave.
    pub(crate) fn set_sent(&self, stream: u32, sent: u32) {
        self.all[stream as usize].sent.store(sent, Ordering::Release);
    }

    /// Nobody knows whether this message was published.
    pub(crate) fn abandon(&self, stream: u32, seq: u32) {
        self.excuses.lock().entry(stream).or_default().abandoned.push(seq);
    }

    /// This message was published again.
    pub(crate) fn resend(&self, stream: u32, seq: u32) {
        let mut excuses = self.excuses.lock();
        let resent = &mut excuses.entry(stream).or_default().resent;
        if !resent.contains(&seq) {
            resent.push(seq);
        }
    }

    pub(crate) fn is_resent(&self, stream: u32, seq: u32) -> bool {
        self.excuses.lock().get(&stream).is_some_and(|excuses| excuses.resent.contains(&seq))
    }

    /// How many of these numbers are excused.
    pub(crate) fn abandoned_in(&self, stream: u32, from: u32, to: u32) -> u32 {
        let excuses = self.excuses.lock();
        let abandoned = excuses.get(&stream).map_or(&[][..], |excuses| &excuses.abandoned);
        abandoned.iter().filter(|seq| (from..to).contains(*seq)).count() as u32
    }

    /// The verified streams that a plain filter matches. Cost: those whose topics begin as the filter does.
    pub(crate) fn matching<'a>(&'a self, filter: &'a str) -> impl Iterator<Item = u32> + 'a {
        let wild = filter.find(['+', '#']).unwrap_or(filter.len());
        // `a/#` matches `a`, too.
        let prefix = filter[..wild].trim_end_matches('/');
        let topic_of = |number: &u32| &*self.all[*number as usize].topic;
        let start = self.by_topic.partition_point(|number| topic_of(number) < prefix);
        self.by_topic[start..]
            .iter()
            .take_while(move |number| topic_of(number).starts_with(prefix))
            .filter(move |number| topic::matches(filter, topic_of(number)))
            .copied()
    }
}
