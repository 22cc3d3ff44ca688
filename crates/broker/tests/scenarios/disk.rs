//! What a journal would keep: records, in the order in which they were logged, and what is put back of them after a kill.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    num::NonZeroU16,
    sync::Arc,
};

use tidegate_broker::{
    Broker, Profile, QueuedRecord, Record, RestoredSession, RetainedRecord, SessionRecord, SubscriptionRecord,
};
use tidegate_ids::{Now, Tenant};

/// Batches that were taken from a broker, and what those that were written make.
#[derive(Default)]
pub struct Disk {
    pending: VecDeque<Vec<Record>>,
    /// How many batches were taken, and how many of them were written.
    pub taken: u64,
    pub written: u64,
    sessions: BTreeMap<u64, Kept>,
    retained: BTreeMap<String, (Tenant, RetainedRecord)>,
}

/// One session, by its number.
struct Kept {
    record: SessionRecord,
    subscriptions: BTreeMap<Arc<str>, SubscriptionRecord>,
    queue: BTreeMap<u64, QueuedRecord>,
    released: BTreeSet<u64>,
    received: BTreeSet<NonZeroU16>,
    next_sequence: u64,
}

impl Disk {
    /// One more batch, to be written; its number.
    pub fn take(&mut self, records: Vec<Record>) -> u64 {
        self.pending.push_back(records);
        self.taken += 1;
        self.taken
    }

    /// Write all batches up to this number.
    pub fn write_to(&mut self, number: u64) {
        while self.written < number {
            let records = self.pending.pop_front().expect("it was taken");
            records.into_iter().for_each(|record| self.write(record));
            self.written += 1;
        }
    }

    /// What was not written is lost.
    pub fn lose_the_rest(&mut self) {
        self.pending.clear();
        self.taken = self.written;
    }

    fn write(&mut self, record: Record) {
        match record {
            Record::Session(record) => {
                let fresh = || Kept {
                    record: (*record).clone(),
                    subscriptions: BTreeMap::new(),
                    queue: BTreeMap::new(),
                    released: BTreeSet::new(),
                    received: BTreeSet::new(),
                    next_sequence: 1,
                };
                self.sessions.entry(record.session).or_insert_with(fresh).record = *record.clone();
            }
            Record::SessionEnded { session, .. } => drop(self.sessions.remove(&session)),
            Record::Subscribed { session, subscription, .. } => {
                self.at(session).subscriptions.insert(subscription.topic_filter.clone(), subscription);
            }
            Record::Unsubscribed { session, topic_filter, .. } => {
                self.at(session).subscriptions.remove(&topic_filter);
            }
            Record::Queued { session, delivery } => {
                let kept = self.at(session);
                kept.next_sequence = delivery.sequence + 1;
                kept.queue.insert(delivery.sequence, delivery);
            }
            Record::Released { session, sequence } => {
                let kept = self.at(session);
                kept.queue.remove(&sequence);
                kept.released.insert(sequence);
            }
            Record::Finished { session, sequence } => {
                let kept = self.at(session);
                // It may never have been queued here: then it was done with before its record was taken.
                kept.next_sequence = kept.next_sequence.max(sequence + 1);
                kept.queue.remove(&sequence);
                kept.released.remove(&sequence);
            }
            Record::Received { session, packet_id } => drop(self.at(session).received.insert(packet_id)),
            Record::ReceivedEnded { session, packet_id } => drop(self.at(session).received.remove(&packet_id)),
            Record::Retained { tenant, retained } => {
                self.retained.insert(retained.message.topic_name().to_owned(), (tenant, retained));
            }
            Record::RetainedDeleted { topic_name, .. } => drop(self.retained.remove(&*topic_name)),
        }
    }

    fn at(&mut self, session: u64) -> &mut Kept {
        self.sessions.get_mut(&session).expect("a record speaks of a session that is there")
    }

    /// Put everything back into a new broker.
    pub fn restore(&self, broker: &Broker, profile: &Arc<Profile>, now: Now) {
        for kept in self.sessions.values() {
            let restored = RestoredSession {
                record: kept.record.clone(),
                subscriptions: kept.subscriptions.values().cloned().collect(),
                queue: kept.queue.values().cloned().collect(),
                released: kept.released.iter().copied().collect(),
                received: kept.received.iter().copied().collect(),
                next_sequence: kept.next_sequence,
            };
            broker.restore_session(restored, profile.clone(), now);
        }
        for (tenant, retained) in self.retained.values() {
            broker.restore_retained(*tenant, retained.clone(), now);
        }
    }
}
