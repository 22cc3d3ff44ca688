//! What the last process left: rows to sessions, and to the ledger that goes on from there.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    num::NonZeroU16,
};

use tidegate_broker::{QueuedRecord, RestoredSession, RetainedRecord, SessionRecord, SubscriptionRecord};
use tidegate_ids::{Tenant, Timestamp};
use tidegate_kv::{Direction, Key, KeyRange, Snapshot, StoreError};
use tidegate_mqtt::{topic, topic::Shared};

use super::{
    ledger::Ledger,
    pending::{self, Table},
    rows::{self, Body, Progress, Reference},
    wire::{RowError, SCHEMA},
};

/// Rows read at once.
const PAGE_ROWS: usize = 256;

/// Everything that was durable.
#[derive(Debug, Default)]
pub(super) struct Recovered {
    pub(super) sessions: Vec<RestoredSession>,
    pub(super) retained: Vec<(Tenant, RetainedRecord)>,
    pub(super) ledger: Ledger,
}

/// Reads all tables of the journal.
///
/// What a crash between the transactions of one commit left over, which belongs to no session, is deleted by the first
/// commit; so is a retained message that has expired by `now`.
///
/// # Errors
/// A row that a newer program wrote, or none of ours.
pub(super) async fn read(at: &Snapshot, now: Timestamp) -> Result<Recovered, StoreError> {
    let mut rows = Rows::default();
    each(at, Table::Sessions, |key, row| rows.session(key, row)).await?;
    rows.forget_older_sessions();
    each(at, Table::Subscriptions, |key, row| rows.subscription(key, row)).await?;
    each(at, Table::Progress, |key, row| rows.progress(key, row)).await?;
    each(at, Table::Chunks, |key, row| rows.chunk(key, row)).await?;
    each(at, Table::Bodies, |key, row| rows.segment(key, row)).await?;
    each(at, Table::Retained, |key, row| rows.retained(key, row, now)).await?;
    rows.assemble().map_err(|error| store_error(Table::Chunks, error))
}

async fn each(
    at: &Snapshot,
    table: Table,
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), RowError>,
) -> Result<(), StoreError> {
    let mut range = KeyRange::all();
    loop {
        let page = at.scan(table.name(), &range, PAGE_ROWS, Direction::Ascending).await?;
        for entry in &page {
            visit(&entry.key, &entry.row.value).map_err(|error| store_error(table, error))?;
        }
        match page.last() {
            Some(last) if page.len() == PAGE_ROWS => range = range.after_bytes(&last.key),
            Some(_) | None => return Ok(()),
        }
    }
}

pub(super) fn store_error(table: Table, error: RowError) -> StoreError {
    let table = table.name();
    match error {
        RowError::Newer(found) => StoreError::NewerRecord { table, found, known: SCHEMA },
        RowError::Corrupt(what) => StoreError::Corrupt { table, what: format!("no {what} where one was expected") },
    }
}

/// Rows as they are read, by the number of their session.
#[derive(Debug, Default)]
struct Rows {
    sessions: BTreeMap<u64, SessionRecord>,
    subscriptions: HashMap<u64, Vec<SubscriptionRecord>>,
    progress: HashMap<u64, Progress>,
    chunks: HashMap<u64, Vec<Vec<Reference>>>,
    bodies: HashMap<u64, Vec<Option<Body>>>,
    retained: Vec<(Tenant, RetainedRecord)>,
    ledger: Ledger,
}

impl Rows {
    fn session(&mut self, key: &[u8], row: &[u8]) -> Result<(), RowError> {
        let (tenant, session) = <(Tenant, u64)>::from_bytes(key).ok_or(KEY)?;
        self.sessions.insert(session, rows::read_session(tenant, session, row)?);
        Ok(())
    }

    /// A client has one session: of two, the older one was about to be deleted.
    fn forget_older_sessions(&mut self) {
        let mut seen = HashSet::new();
        let newest_first = self.sessions.iter().rev();
        let older: Vec<u64> = newest_first
            .filter(|(_, session)| !seen.insert((session.tenant, session.client_id.clone())))
            .map(|(number, _)| *number)
            .collect();
        for number in older {
            if let Some(session) = self.sessions.remove(&number) {
                let key = pending::session_key(session.tenant, number);
                self.ledger.pending().delete(Table::Sessions, key);
            }
        }
    }

    fn subscription(&mut self, key: &[u8], row: &[u8]) -> Result<(), RowError> {
        let (_, session, topic_filter) = <(Tenant, u64, String)>::from_bytes(key).ok_or(KEY)?;
        let inner = Shared::parse(&topic_filter).map_or(&*topic_filter, |shared| shared.topic_filter);
        if !topic::valid_filter(inner) {
            return Err(RowError::Corrupt("a topic filter"));
        }
        let subscription = rows::read_subscription(topic_filter.into(), row)?;
        match self.sessions.contains_key(&session) {
            true => self.subscriptions.entry(session).or_default().push(subscription),
            false => self.ledger.pending().delete(Table::Subscriptions, key.to_vec()),
        }
        Ok(())
    }

    fn progress(&mut self, key: &[u8], row: &[u8]) -> Result<(), RowError> {
        let session = u64::from_bytes(key).ok_or(KEY)?;
        let progress = rows::read_progress(row)?;
        match self.sessions.contains_key(&session) {
            true => drop(self.progress.insert(session, progress)),
            false => self.ledger.pending().delete(Table::Progress, key.to_vec()),
        }
        Ok(())
    }

    fn chunk(&mut self, key: &[u8], row: &[u8]) -> Result<(), RowError> {
        let (session, first) = <(u64, u64)>::from_bytes(key).ok_or(KEY)?;
        let chunk = rows::read_chunk(row)?;
        let last = self.chunks.get(&session).and_then(|chunks| chunks.last()?.last());
        let ascending = last.is_none_or(|last| last.sequence < first);
        if chunk.first().is_none_or(|reference| reference.sequence != first) || !ascending {
            return Err(RowError::Corrupt("the sequence number of its key"));
        }
        match self.sessions.contains_key(&session) {
            true => self.chunks.entry(session).or_default().push(chunk),
            false => self.ledger.pending().delete(Table::Chunks, key.to_vec()),
        }
        Ok(())
    }

    fn segment(&mut self, key: &[u8], row: &[u8]) -> Result<(), RowError> {
        let number = u64::from_bytes(key).ok_or(KEY)?;
        let bodies = rows::split_segment(row)?;
        self.ledger.restore_segment(number, bodies.iter().map(|body| body.len()));
        let read = |body: &&[u8]| if body.is_empty() { Ok(None) } else { rows::read_body(body).map(Some) };
        let bodies = bodies.iter().map(read).collect::<Result<_, _>>()?;
        self.bodies.insert(number, bodies);
        Ok(())
    }

    fn retained(&mut self, key: &[u8], row: &[u8], now: Timestamp) -> Result<(), RowError> {
        let (tenant, topic_name) = <(Tenant, String)>::from_bytes(key).ok_or(KEY)?;
        let retained = rows::read_retained(row)?;
        if retained.message.topic_name() != topic_name {
            return Err(RowError::Corrupt("the topic name of its key"));
        }
        match retained.expires_at {
            Some(at) if at <= now => self.ledger.pending().delete(Table::Retained, key.to_vec()),
            Some(_) | None => self.retained.push((tenant, retained)),
        }
        Ok(())
    }

    fn assemble(mut self) -> Result<Recovered, RowError> {
        let mut sessions = Vec::with_capacity(self.sessions.len());
        for (number, record) in std::mem::take(&mut self.sessions) {
            let progress = self.progress.remove(&number).unwrap_or_default();
            let chunks = self.chunks.remove(&number).unwrap_or_default();
            let queue = self.ledger.restore_session(number, progress, &chunks)?;
            let (progress, next_sequence) = (queue.progress(), queue.next_sequence());
            let waiting = |reference: &&Reference| {
                !progress.is_finished(reference.sequence) && !progress.released.contains(&reference.sequence)
            };
            let queue = chunks.iter().flatten().filter(waiting).map(|reference| queued(reference, &self.bodies));
            sessions.push(RestoredSession {
                queue: queue.collect::<Result<_, _>>()?,
                record,
                subscriptions: self.subscriptions.remove(&number).unwrap_or_default(),
                released: progress.released.iter().copied().collect(),
                received: progress.received.iter().filter_map(|&packet_id| NonZeroU16::new(packet_id)).collect(),
                next_sequence,
            });
        }
        self.ledger.restored();
        Ok(Recovered { sessions, retained: self.retained, ledger: self.ledger })
    }
}

const KEY: RowError = RowError::Corrupt("key");

fn queued(reference: &Reference, bodies: &HashMap<u64, Vec<Option<Body>>>) -> Result<QueuedRecord, RowError> {
    let body = bodies.get(&reference.segment).and_then(|segment| segment.get(reference.index as usize)?.as_ref());
    let body = body.ok_or(RowError::Corrupt("the body of a message"))?;
    Ok(QueuedRecord {
        sequence: reference.sequence,
        qos: reference.qos,
        retain: reference.retain,
        identifiers: reference.identifiers.clone(),
        group: reference.group,
        expires_at: body.expires_at,
        message: body.message.clone(),
    })
}
