//! What a broker logs, and what should be left of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;
use tidegate_broker::{
    Presence, Principal, QueuedRecord, Record, RestoredSession, RetainedRecord, SessionRecord, SubscriptionRecord,
    WillRecord,
};
use tidegate_ids::Timestamp;
use tidegate_mqtt::{Message, MessageProperties, QoS, SessionExpiry};

use super::{super::recovery::Recovered, tenant};

/// One of each kind, in turn.
fn principal(client: u8) -> Principal {
    match client % 4 {
        0 => Principal::Anonymous,
        1 => Principal::Certificate {
            tenant: tenant(),
            certificate_id: tidegate_ids::CertificateId::from_bytes([7; 32]),
        },
        2 => Principal::Custom { tenant: tenant(), authorizer: "a".into(), principal_id: "p".into() },
        _ => Principal::Iam { account: tenant().account, arn: "arn".into(), access_key_id: "AKIA".into() },
    }
}

fn message(topic_name: &str, payload: &[u8]) -> Message {
    let properties = MessageProperties { content_type: Some("c"), ..MessageProperties::default() };
    Message::new(topic_name, &properties, payload).unwrap()
}

/// What a client's session should be.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Modelled {
    record: SessionRecord,
    subscriptions: BTreeMap<Arc<str>, SubscriptionRecord>,
    pub(super) queue: BTreeMap<u64, QueuedRecord>,
    pub(super) released: BTreeSet<u64>,
    received: BTreeSet<u16>,
    next: u64,
}

impl From<RestoredSession> for Modelled {
    fn from(restored: RestoredSession) -> Self {
        let RestoredSession { record, subscriptions, queue, released, received, next_sequence } = restored;
        Self {
            record,
            subscriptions: subscriptions.into_iter().map(|one| (one.topic_filter.clone(), one)).collect(),
            queue: queue.into_iter().map(|one| (one.sequence, one)).collect(),
            released: released.into_iter().collect(),
            received: received.into_iter().map(NonZeroU16::get).collect(),
            next: next_sequence,
        }
    }
}

/// A few clients by name, as a broker would log them.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) clients: BTreeMap<u8, Modelled>,
    retained: BTreeMap<String, RetainedRecord>,
    serial: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Connect(u8),
    Lose(u8),
    End(u8),
    Subscribe(u8, u8),
    Unsubscribe(u8, u8),
    /// One message of so many bytes to all clients of the mask.
    Publish(u8, u16),
    Release(u8, u8),
    Finish(u8, u8),
    Receive(u8, u16),
    ReceiveEnded(u8, u16),
    Retain(u8, u8),
    Commit,
    Restart,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let client = 0u8..3;
    prop_oneof![
        2 => client.clone().prop_map(Step::Connect),
        1 => client.clone().prop_map(Step::Lose),
        1 => client.clone().prop_map(Step::End),
        1 => (client.clone(), 0u8..4).prop_map(|(c, f)| Step::Subscribe(c, f)),
        1 => (client.clone(), 0u8..4).prop_map(|(c, f)| Step::Unsubscribe(c, f)),
        8 => (1u8..8, prop_oneof![9 => 0u16..50, 1 => 20_000u16..30_000]).prop_map(|(m, n)| Step::Publish(m, n)),
        2 => (client.clone(), any::<u8>()).prop_map(|(c, n)| Step::Release(c, n)),
        8 => (client.clone(), any::<u8>()).prop_map(|(c, n)| Step::Finish(c, n)),
        1 => (client.clone(), 1u16..4).prop_map(|(c, id)| Step::Receive(c, id)),
        1 => (client, 1u16..4).prop_map(|(c, id)| Step::ReceiveEnded(c, id)),
        1 => (0u8..3, 0u8..3).prop_map(|(t, p)| Step::Retain(t, p)),
        4 => Just(Step::Commit),
        1 => Just(Step::Restart),
    ]
}

impl Model {
    fn connect(&mut self, client: u8, log: &mut Vec<Record>) {
        self.serial += 1;
        let serial = self.serial;
        let fresh = Modelled {
            record: SessionRecord {
                tenant: tenant(),
                session: serial,
                client_id: format!("c{client}").into(),
                identifier: u128::MAX - u128::from(serial),
                version_number: 0,
                profile: "standard".into(),
                principal: Arc::new(principal(client)),
                expiry: SessionExpiry::from_seconds(60),
                presence: Presence::Connected,
                will: None,
            },
            subscriptions: BTreeMap::new(),
            queue: BTreeMap::new(),
            released: BTreeSet::new(),
            received: BTreeSet::new(),
            next: 1,
        };
        let session = self.clients.entry(client).or_insert(fresh);
        session.record.version_number += 1;
        session.record.presence = Presence::Connected;
        session.record.will = (client == 1).then(|| WillRecord {
            message: message("will", b"gone"),
            qos: QoS::ExactlyOnce,
            retain: true,
            delay: Duration::from_secs(5),
            expiry: Some(Duration::from_secs(7)),
        });
        log.push(Record::Session(Box::new(session.record.clone())));
    }

    fn publish(&mut self, mask: u8, bytes: u16, log: &mut Vec<Record>) {
        let message = message("t", &vec![7; bytes.into()]);
        for (client, session) in self.clients.iter_mut().filter(|(client, _)| mask & 1 << *client != 0) {
            let delivery = QueuedRecord {
                sequence: session.next,
                qos: if session.next % 2 == 0 { QoS::AtLeastOnce } else { QoS::ExactlyOnce },
                retain: *client == 2,
                identifiers: (*client == 1).then(|| [NonZeroU32::new(300).unwrap()].into()),
                expires_at: bytes.is_multiple_of(2).then(|| Timestamp::from_millis(99)),
                group: bytes.is_multiple_of(3).then(|| u64::MAX - u64::from(bytes)),
                message: message.clone(),
            };
            session.next += 1;
            session.queue.insert(delivery.sequence, delivery.clone());
            log.push(Record::Queued { session: session.record.session, delivery });
        }
    }

    pub(super) fn take(&mut self, step: &Step, log: &mut Vec<Record>) {
        let filter = |n: u8| -> Arc<str> { format!("f/{n}/#").into() };
        match *step {
            Step::Connect(client) => return self.connect(client, log),
            Step::Publish(mask, bytes) => return self.publish(mask, bytes, log),
            Step::Retain(topic, payload) => {
                let (tenant, name) = (tenant(), format!("r{topic}"));
                if payload == 0 {
                    self.retained.remove(&name);
                    log.push(Record::RetainedDeleted { tenant, topic_name: name.into() });
                } else {
                    let (qos, message) = (QoS::AtLeastOnce, message(&name, &[payload]));
                    let publisher = (payload == 1).then(|| "p".into());
                    let retained_at = Some(Timestamp::from_millis(self.retained.len() as u64));
                    let retained = RetainedRecord { qos, expires_at: None, publisher, retained_at, message };
                    self.retained.insert(name, retained.clone());
                    log.push(Record::Retained { tenant, retained });
                }
                return;
            }
            Step::End(client) => {
                if let Some(ended) = self.clients.remove(&client) {
                    let topic_filters = ended.subscriptions.keys().cloned().collect();
                    log.push(Record::SessionEnded { tenant: tenant(), session: ended.record.session, topic_filters });
                }
                return;
            }
            Step::Lose(client)
            | Step::Subscribe(client, _)
            | Step::Unsubscribe(client, _)
            | Step::Release(client, _)
            | Step::Finish(client, _)
            | Step::Receive(client, _)
            | Step::ReceiveEnded(client, _) => {
                if !self.clients.contains_key(&client) {
                    return;
                }
            }
            Step::Commit | Step::Restart => return,
        }
        let of = |client: &u8| self.clients.get(client).map(|session| session.record.session).unwrap();
        match step {
            Step::Lose(client) => {
                let session = self.clients.get_mut(client).unwrap();
                let (ends_at, unsent_from) = (Some(Timestamp::from_millis(77)), session.next);
                session.record.presence = Presence::Absent { ends_at, will_at: None, unsent_from };
                log.push(Record::Session(Box::new(session.record.clone())));
            }
            Step::Subscribe(client, n) => {
                let subscription = SubscriptionRecord {
                    topic_filter: filter(*n),
                    qos: QoS::AtLeastOnce,
                    no_local: *n == 1,
                    retain_as_published: *n == 2,
                    parent_level: true,
                    identifier: NonZeroU32::new((*n).into()),
                };
                log.push(Record::Subscribed {
                    tenant: tenant(),
                    session: of(client),
                    subscription: subscription.clone(),
                });
                self.clients.get_mut(client).unwrap().subscriptions.insert(filter(*n), subscription);
            }
            Step::Unsubscribe(client, n) => {
                log.push(Record::Unsubscribed { tenant: tenant(), session: of(client), topic_filter: filter(*n) });
                self.clients.get_mut(client).unwrap().subscriptions.remove(&filter(*n));
            }
            Step::Release(client, n) => {
                let session = self.clients.get_mut(client).unwrap();
                let exactly: Vec<_> = session.queue.values().filter(|one| one.qos == QoS::ExactlyOnce).collect();
                if let Some(&sequence) = exactly.get(usize::from(*n) % exactly.len().max(1)).map(|one| &one.sequence) {
                    session.queue.remove(&sequence);
                    session.released.insert(sequence);
                    log.push(Record::Released { session: session.record.session, sequence });
                }
            }
            Step::Finish(client, n) => {
                let session = self.clients.get_mut(client).unwrap();
                let unfinished: BTreeSet<_> = session.queue.keys().chain(&session.released).copied().collect();
                if let Some(&sequence) = unfinished.iter().nth(usize::from(*n) % unfinished.len().max(1)) {
                    session.queue.remove(&sequence);
                    session.released.remove(&sequence);
                    finish(session.record.session, sequence, log);
                }
            }
            Step::Receive(client, id) => {
                log.push(Record::Received { session: of(client), packet_id: NonZeroU16::new(*id).unwrap() });
                self.clients.get_mut(client).unwrap().received.insert(*id);
            }
            Step::ReceiveEnded(client, id) => {
                log.push(Record::ReceivedEnded { session: of(client), packet_id: NonZeroU16::new(*id).unwrap() });
                self.clients.get_mut(client).unwrap().received.remove(id);
            }
            other => unreachable!("{other:?} is handled above"),
        }
    }

    pub(super) fn check(&self, recovered: Recovered) {
        let sessions: Vec<_> = recovered.sessions.into_iter().map(Modelled::from).collect();
        let mut expected: Vec<_> = self.clients.values().cloned().collect();
        expected.sort_by_key(|session| session.record.session);
        assert_eq!(sessions, expected);
        let retained: BTreeMap<_, _> = recovered
            .retained
            .into_iter()
            .map(|(_, retained)| (retained.message.topic_name().to_owned(), retained))
            .collect();
        assert_eq!(retained, self.retained);
    }
}

/// As the broker does: where a QoS 1 message was queued since the last commit, that it is done with takes the place of its record.
fn finish(session: u64, sequence: u64, log: &mut Vec<Record>) {
    let queued = |record: &&mut Record| match record {
        Record::Queued { session: of, delivery } => {
            (*of, delivery.sequence, delivery.qos) == (session, sequence, QoS::AtLeastOnce)
        }
        _ => false,
    };
    let finished = Record::Finished { session, sequence };
    match log.iter_mut().find(queued) {
        Some(record) => *record = finished,
        None => log.push(finished),
    }
}
