//! What was committed is what is recovered, wherever the process ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::{NonZeroU16, NonZeroU32},
    sync::Arc,
    time::Duration,
};

use proptest::prelude::*;
use tidegate_broker::{
    Alone, Broker, ConnectRequest, Effects, LinkAddress, Presence, Principal, Profile, QueuedRecord, Record,
    RestoredSession, RetainedRecord, SessionRecord, Settings, SubscriptionRecord, Trace, WillRecord,
};
use tidegate_ids::{Now, Region, Tenant, Timestamp};
use tidegate_kv::{Direction, KEY_BYTES_MAX, Key, KeyRange, Snapshot, Store, StoreError, memory::MemoryStore};
use tidegate_mqtt::{
    Connect, Message, MessageProperties, Packet, Peer, QoS, SessionExpiry, Subscribe, Subscription,
    SubscriptionOptions, Version, decode,
};
use tokio::runtime::{Builder, Runtime};

use crate::authorize::AllowAll;

use super::{
    ledger::Ledger,
    pending::Table,
    recovery::{self, Recovered},
    rows,
};

fn tenant() -> Tenant {
    Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() }
}

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

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

async fn rows_of(at: &Snapshot, table: Table) -> Vec<tidegate_kv::Entry> {
    at.scan(table.name(), &KeyRange::all(), usize::MAX, Direction::Ascending).await.unwrap()
}

/// What a client's session should be.
#[derive(Debug, Clone, PartialEq)]
struct Modelled {
    record: SessionRecord,
    subscriptions: BTreeMap<Arc<str>, SubscriptionRecord>,
    queue: BTreeMap<u64, QueuedRecord>,
    released: BTreeSet<u64>,
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
struct Model {
    clients: BTreeMap<u8, Modelled>,
    retained: BTreeMap<String, RetainedRecord>,
    serial: u64,
}

#[derive(Debug, Clone)]
enum Step {
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

fn step() -> impl Strategy<Value = Step> {
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

    fn take(&mut self, step: &Step, log: &mut Vec<Record>) {
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

    fn check(&self, recovered: Recovered) {
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

async fn commit(ledger: &mut Ledger, store: &MemoryStore) {
    write(ledger, store).await;
    // What the commit made wasteful is written again by the next one.
    while let Some(number) = ledger.next_wasteful() {
        if let Some(row) = store.get(Table::Bodies.name(), &number.to_bytes()).await.unwrap() {
            ledger.compact(number, &row.value).unwrap();
        }
    }
    write(ledger, store).await;
}

async fn write(ledger: &mut Ledger, store: &MemoryStore) {
    for transaction in ledger.pending().transactions() {
        store.commit(transaction).await.unwrap();
    }
    ledger.pending().written();
}

/// No body is on disk for nobody, beyond what the bounds of garbage allow.
async fn check_garbage(model: &Model, ledger: &Ledger, store: &MemoryStore) {
    let at = store.snapshot().await.unwrap();
    let needed: usize = {
        let queued = model.clients.values().flat_map(|session| session.queue.values());
        queued.map(|one| one.message.held_bytes() + 40).sum()
    };
    let segments = rows_of(&at, Table::Bodies).await;
    let kept: usize = segments.iter().map(|entry| entry.row.value.len()).sum();
    // Bodies are shared, so what is needed counts more than once; a released message still has its body.
    let released: usize = model.clients.values().map(|session| session.released.len() * 31_000).sum();
    let allowed = needed * 4 + released * 4 + segments.len() * 17_000;
    assert!(kept <= allowed, "{kept} bytes are kept, {allowed} allowed");
    assert_eq!(ledger.sizes().1, segments.len());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn recovery_finds_what_was_committed(steps in prop::collection::vec(step(), 1..120)) {
        runtime().block_on(async {
            let store = MemoryStore::new();
            let (mut ledger, mut model, mut log) = (Ledger::default(), Model::default(), Vec::new());
            for step in &steps {
                model.take(step, &mut log);
                if !matches!(step, Step::Commit | Step::Restart) {
                    continue;
                }
                ledger.apply(log.drain(..));
                commit(&mut ledger, &store).await;
                check_garbage(&model, &ledger, &store).await;
                let at = store.snapshot().await.unwrap();
                let recovered = recovery::read(&at, Timestamp::default()).await.unwrap();
                if matches!(step, Step::Restart) {
                    let again = recovery::read(&at, Timestamp::default()).await.unwrap();
                    ledger = again.ledger;
                }
                model.check(recovered);
            }
        });
    }

    /// A crash between the transactions of one commit: everything but the last record of a session may be there, and
    /// the process starts.
    #[test]
    fn a_torn_commit_is_recovered(steps in prop::collection::vec(step(), 1..60), cut in any::<prop::sample::Index>()) {
        runtime().block_on(async {
            let store = MemoryStore::new();
            let (mut ledger, mut model, mut log) = (Ledger::default(), Model::default(), Vec::new());
            for step in &steps {
                model.take(step, &mut log);
            }
            let half = log.split_off(cut.index(log.len() + 1));
            ledger.apply(log);
            commit(&mut ledger, &store).await;
            ledger.apply(half);
            // Row by row, as if each were a transaction of its own.
            let writes: Vec<_> =
                ledger.pending().transactions().into_iter().flat_map(|transaction| transaction.into_writes()).collect();
            for write in writes.iter().take(cut.index(writes.len() + 1)) {
                let mut transaction = tidegate_kv::Transaction::new();
                match &write.value {
                    Some(value) => transaction.put(write.table, write.key.clone(), value.clone()),
                    None => transaction.delete(write.table, write.key.clone()),
                };
                store.commit(transaction).await.unwrap();
            }
            let mut recovered = recovery::read(&store.snapshot().await.unwrap(), Timestamp::default()).await.unwrap();
            let left = recovered.sessions.len();
            commit(&mut recovered.ledger, &store).await;
            let at = store.snapshot().await.unwrap();
            let again = recovery::read(&at, Timestamp::default()).await.unwrap();
            assert_eq!(again.sessions.len(), left);
            assert_eq!(rows_of(&at, Table::Sessions).await.len(), left);
            assert_eq!(again.ledger.sizes().1, rows_of(&at, Table::Bodies).await.len(), "nothing is left over");
        });
    }

    /// No bytes make a reader panic or take memory, and what it takes it writes back.
    #[test]
    fn rows_of_any_bytes_are_read_or_refused(mut row in prop::collection::vec(any::<u8>(), 0..120), first in any::<bool>()) {
        if let Some(byte) = row.first_mut().filter(|_| first) {
            *byte = 1;
        }
        if let Ok(session) = rows::read_session(tenant(), 1, &row) {
            prop_assert_eq!(rows::read_session(tenant(), 1, &rows::write_session(&session)), Ok(session));
        }
        if let Ok(progress) = rows::read_progress(&row) {
            prop_assert_eq!(rows::read_progress(&rows::write_progress(&progress)), Ok(progress));
        }
        if let Ok(retained) = rows::read_retained(&row) {
            prop_assert_eq!(rows::read_retained(&rows::write_retained(&retained)), Ok(retained));
        }
        let _ = (rows::read_chunk(&row), rows::split_segment(&row), rows::read_body(&row));
        let _ = rows::read_subscription("f".into(), &row);
    }

    /// Valid rows with a bit flipped.
    #[test]
    fn damaged_rows_are_read_or_refused(steps in prop::collection::vec(step(), 20..60), flip in any::<prop::sample::Index>()) {
        runtime().block_on(async {
            let (mut ledger, mut model, mut log) = (Ledger::default(), Model::default(), Vec::new());
            steps.iter().for_each(|step| model.take(step, &mut log));
            ledger.apply(log);
            let store = MemoryStore::new();
            let mut puts: Vec<_> = ledger.pending().transactions().into_iter().flat_map(|t| t.into_writes()).collect();
            puts.retain(|write| write.value.as_ref().is_some_and(|value| !value.is_empty()));
            if puts.is_empty() {
                return;
            }
            let at = flip.index(puts.len());
            let mut value = puts[at].value.clone().unwrap().to_vec();
            let bit = flip.index(value.len() * 8);
            value[bit / 8] ^= 1 << (bit % 8);
            puts[at].value = Some(value.into());
            let mut transaction = tidegate_kv::Transaction::new();
            for write in puts {
                transaction.put(write.table, write.key, write.value.unwrap());
            }
            store.commit(transaction).await.unwrap();
            let _ = recovery::read(&store.snapshot().await.unwrap(), Timestamp::default()).await;
        });
    }
}

/// Byte by byte, so that the rows of an earlier program stay readable.
#[test]
fn references_of_schema_1_are_read_as_those_of_no_group() {
    let reference = |sequence, group| rows::Reference {
        sequence,
        qos: QoS::ExactlyOnce,
        retain: true,
        identifiers: NonZeroU32::new(300).map(|identifier| [identifier].into()),
        group,
        segment: 5,
        index: 2,
    };
    assert_eq!(rows::read_chunk(&[1, 9, 2, 1, 1, 0xac, 2, 5, 2]), Ok(vec![reference(9, None)]));
    let of_a_group = [2, 9, 2, 3, 0, 0, 0, 0, 0, 0, 1, 2, 1, 0xac, 2, 5, 2, 10, 2, 1, 1, 0xac, 2, 5, 2];
    assert_eq!(rows::read_chunk(&of_a_group), Ok(vec![reference(9, Some(258)), reference(10, None)]));
    assert!(rows::read_chunk(&[2, 9, 2, 4, 1, 0xac, 2, 5, 2]).is_err());
}

/// The broker grants no filter that is no key of the store: a commit with one in it would fail, and with it the process.
#[test]
fn the_longest_filter_and_topic_name_of_each_profile_are_keys_of_the_store() {
    let region = "aa-bcdefghijklmnopqrs-12";
    assert_eq!(region.len(), Region::BYTES_MAX);
    let tenant = Tenant { account: tenant().account, region: region.parse().unwrap() };
    for profile in [Profile::standard(), Profile::aws()] {
        let limits = &profile.limits;
        let (name, filter) = ("\u{1f600}".repeat(limits.share_name_chars_max), "x".repeat(limits.topic_bytes_max));
        let (longest, longer) = (format!("$share/{name}/{filter}"), format!("$share/{name}x/{filter}"));
        let granted = [&longest, &longer].map(|filter| is_granted(tenant, &profile, filter));
        assert_eq!(granted, [true, false], "{}", profile.name);
        for key in [
            super::pending::subscription_key(tenant, u64::MAX, &longest),
            super::pending::retained_key(tenant, &filter),
        ] {
            assert!(key.len() <= KEY_BYTES_MAX, "{}: {} bytes", profile.name, key.len());
        }
    }
}

/// Whether a broker lets a client subscribe with this filter.
fn is_granted(tenant: Tenant, profile: &Profile, filter: &str) -> bool {
    let (broker, mut effects) = (Broker::new(Settings::default(), Arc::new(Alone), Arc::new(Alone)), Effects::new(0));
    let connect = Connect::new(Version::V5, "c");
    let request = ConnectRequest {
        tenant,
        client_id: "c".into(),
        trace: Arc::new(Trace::new(Arc::new(Principal::Anonymous), "192.0.2.1:1".parse().unwrap())),
        authorize: Arc::new(AllowAll),
        profile: Arc::new(profile.clone()),
        connect: &connect,
        address: LinkAddress { core: 0, slot: 0 },
        session_identifier: 1,
    };
    let mut link = broker.connect(request, Now::default(), &mut effects).unwrap();
    let mut out = Vec::new();
    link.take_output(&mut out, Now::default(), &mut effects);
    out.clear();
    let subscriptions = [Subscription { topic_filter: filter, options: SubscriptionOptions::at(QoS::AtLeastOnce) }];
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: NonZeroU16::MIN,
        subscription_identifier: None,
        user_properties: Default::default(),
        subscriptions: subscriptions[..].into(),
    });
    broker.handle(&mut link, &subscribe, Now::default(), &mut effects).unwrap();
    link.take_output(&mut out, Now::default(), &mut effects);
    let Ok(Packet::SubAck(suback)) = decode(&out, Version::V5, Peer::Server) else { panic!("no SUBACK: {out:?}") };
    suback.reason_codes.iter().all(|code| !code.is_failure())
}

#[test]
fn rows_of_a_newer_program_are_refused_by_name() {
    runtime().block_on(async {
        for table in [
            Table::Bodies,
            Table::Sessions,
            Table::Subscriptions,
            Table::Chunks,
            Table::Retained,
            Table::Progress,
        ] {
            let store = MemoryStore::new();
            let key = match table {
                Table::Bodies | Table::Progress => 1u64.to_bytes(),
                Table::Sessions => super::pending::session_key(tenant(), 1),
                Table::Subscriptions => super::pending::subscription_key(tenant(), 1, "f"),
                Table::Chunks => super::pending::chunk_key(1, 1),
                Table::Retained => super::pending::retained_key(tenant(), "t"),
            };
            let mut transaction = tidegate_kv::Transaction::new();
            transaction.put(table.name(), key, vec![9, 0, 0]);
            store.commit(transaction).await.unwrap();
            let refused = recovery::read(&store.snapshot().await.unwrap(), Timestamp::default()).await.unwrap_err();
            assert!(
                matches!(refused, StoreError::NewerRecord { table: named, found: 9, known: super::wire::SCHEMA } if named == table.name()),
                "{refused}"
            );
        }
    });
}
