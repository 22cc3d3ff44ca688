//! Where events lie on disk: chunks in the order of time, in one table for all logs.
//!
//! One process appends. **Invariant:** within a log the times of events never decrease in the order of commits, as long as the clock
//! steps back by less than [`SPAN_MAX_MS`]: whoever follows a log by time misses nothing.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use tidegate_ids::{Tenant, Timestamp};
use tidegate_kv::{CommitError, Direction, Key, KeyRange, Record, Store, StoreError, Table, Transaction};

/// Events in a chunk, their bytes, and how long after the first the last may be. A chunk ends with its day (UTC).
const CHUNK_EVENTS_MAX: usize = 1000;
const CHUNK_BYTES_MAX: usize = 256 * 1024;
const SPAN_MAX_MS: u64 = 10_000;
/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;
/// Chunks read, or deleted, at once.
const PAGE_CHUNKS: usize = 32;
/// Chunks looked at for one answer; whoever wants more asks again.
const LOOKED_AT_MAX: usize = 512;

/// One log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

impl Scope {
    /// `AWSIotLogs` of an account and region.
    pub fn v1(tenant: Tenant) -> Self {
        Self(format!("v1/{tenant}"))
    }

    /// `AWSIotLogsV2` of an account and region.
    pub fn v2(tenant: Tenant) -> Self {
        Self(format!("v2/{tenant}"))
    }

    /// Refusals of an account and region, or of nobody's.
    pub fn refusals(tenant: Option<Tenant>) -> Self {
        Self(tenant.map_or("refusals/".to_owned(), |tenant| format!("refusals/{tenant}")))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The place of an event: its chunk's first moment and number, and its index there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    chunk: (u64, u64),
    index: u32,
}

impl Position {
    /// 40 digits, unique in its log, in the order of events.
    pub fn id(self) -> String {
        format!("{:015}{:019}{:06}", self.chunk.0, self.chunk.1, self.index)
    }

    /// What [`Self::id`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 40 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().ok();
        let index = u32::try_from(number(34..40)?).ok()?;
        Some(Self { chunk: (number(0..15)?, number(15..34)?), index })
    }
}

/// An event of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place.
    pub position: Position,
    /// When it happened, as far as order allows.
    pub at: Timestamp,
    /// When it was written.
    pub ingested: Timestamp,
    /// What it says.
    pub message: String,
}

/// What was found in a log.
#[derive(Debug, Default)]
pub struct Found {
    /// In ascending order, whichever way was looked.
    pub events: Vec<Event>,
    /// Where looking ended before the end: go on from there.
    pub more: Option<Position>,
}

/// What to look for in a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query {
    /// First moment, and the first moment behind the last.
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Only what lies behind (ascending), or before (descending) this event.
    pub(crate) beyond: Option<Position>,
    pub(crate) direction: Direction,
    pub(crate) events_max: usize,
    pub(crate) bytes_max: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Chunk {
    ingested: u64,
    /// Moment and message.
    events: Vec<(u64, String)>,
}

impl Record for Chunk {
    const SCHEMA: u8 = 1;
}

impl Chunk {
    fn bytes(&self) -> u64 {
        self.events.iter().map(|(_, message)| message.len() as u64 + EVENT_BYTES).sum()
    }
}

/// What an event counts for beside its message.
const EVENT_BYTES: u64 = 32;

/// What a log comes to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Total {
    pub(crate) bytes: u64,
    /// Of the next chunk.
    number: u64,
    /// The last event's moment.
    last: u64,
}

impl Record for Total {
    const SCHEMA: u8 = 1;
}

static CHUNKS: Table<(String, u64, u64), Chunk> = Table::new("log-chunks");
static TOTALS: Table<String, Total> = Table::new("log-totals");

/// All logs.
pub(crate) struct Shelf(pub(crate) Arc<dyn Store>);

impl Shelf {
    /// Writes events of several logs in one commit; those of one log in the order of their moments. Only one caller at a time.
    pub(crate) async fn append(
        &self,
        logs: impl IntoIterator<Item = (Scope, Vec<(u64, String)>)>,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        let snapshot = self.0.snapshot().await?;
        let mut transaction = Transaction::quiet();
        for (Scope(scope), mut events) in logs {
            let mut total = TOTALS.get(&snapshot, &scope).await?.map(|row| row.value).unwrap_or_default();
            events.sort_by_key(|(at, _)| *at);
            for (at, _) in &mut events {
                *at = in_order(*at, total.last);
                total.last = *at;
            }
            for events in cut(events) {
                let first = events[0].0;
                let chunk = Chunk { ingested: now.millis(), events };
                total.bytes += chunk.bytes();
                CHUNKS.put(&mut transaction, &(scope.clone(), first, total.number), &chunk);
                total.number += 1;
            }
            TOTALS.put(&mut transaction, &scope, &total);
        }
        self.0.commit(transaction).await.map(drop)
    }

    /// Deletes what is older than `oldest`, and the oldest of what is too much. How many chunks went. Only whoever appends.
    pub(crate) async fn trim(&self, Scope(scope): &Scope, oldest: u64, bytes_max: u64) -> Result<usize, CommitError> {
        let mut gone = 0;
        loop {
            let snapshot = self.0.snapshot().await?;
            let Some(total) = TOTALS.get(&snapshot, scope).await? else { return Ok(gone) };
            let mut total = total.value;
            let range = KeyRange::under(scope);
            let page = CHUNKS.scan(&snapshot, &range, PAGE_CHUNKS, Direction::Ascending).await?;
            let mut transaction = Transaction::quiet();
            for row in &page {
                let last = row.value.events.last().map_or(0, |(at, _)| *at);
                if last >= oldest && total.bytes <= bytes_max {
                    break;
                }
                total.bytes = total.bytes.saturating_sub(row.value.bytes());
                CHUNKS.delete(&mut transaction, &row.key);
                gone += 1;
            }
            if transaction.is_empty() {
                return Ok(gone);
            }
            TOTALS.put(&mut transaction, scope, &total);
            self.0.commit(transaction).await?;
        }
    }

    /// All logs, and what they come to.
    pub(crate) async fn totals(&self) -> Result<Vec<(Scope, Total)>, StoreError> {
        let mut found = Vec::new();
        TOTALS.each(&self.0.snapshot().await?, KeyRange::all(), |row| found.push((Scope(row.key), row.value))).await?;
        Ok(found)
    }

    /// The bytes of a log.
    pub(crate) async fn bytes(&self, Scope(scope): &Scope) -> Result<u64, StoreError> {
        Ok(TOTALS.get(&self.0.snapshot().await?, scope).await?.map_or(0, |row| row.value.bytes))
    }

    /// Events of a log that `wanted` wants, as many as the query and [`LOOKED_AT_MAX`] let.
    pub(crate) async fn read(
        &self,
        Scope(scope): &Scope,
        query: Query,
        mut wanted: impl FnMut(&str) -> bool,
    ) -> Result<Found, StoreError> {
        let snapshot = self.0.snapshot().await?;
        let mut range = query.range(scope);
        let (mut found, mut bytes, mut looked_at) = (Found::default(), 0, 0);
        'pages: loop {
            let page = CHUNKS.scan(&snapshot, &range, PAGE_CHUNKS, query.direction).await?;
            let whole = page.len() == PAGE_CHUNKS;
            for row in page {
                range = match query.direction {
                    Direction::Ascending => range.after(&row.key),
                    Direction::Descending => range.before(&row.key),
                };
                looked_at += 1;
                for event in query.events_of((row.key.1, row.key.2), row.value) {
                    let position = event.position;
                    if wanted(&event.message) {
                        bytes += event.message.len();
                        found.events.push(event);
                    }
                    if found.events.len() >= query.events_max || bytes >= query.bytes_max {
                        found.more = Some(position);
                        break 'pages;
                    }
                }
                if looked_at >= LOOKED_AT_MAX {
                    found.more = Some(query.behind_chunk((row.key.1, row.key.2)));
                    break 'pages;
                }
            }
            if !whole {
                break;
            }
        }
        if query.direction == Direction::Descending {
            found.events.reverse();
        }
        Ok(found)
    }

    /// The days on which something was logged, with the first and last moment: day, first, last, ingested last.
    pub(crate) async fn days(&self, Scope(scope): &Scope) -> Result<Vec<(u64, u64, u64, u64)>, StoreError> {
        let snapshot = self.0.snapshot().await?;
        let mut days = Vec::new();
        let mut from = 0;
        loop {
            let range = KeyRange::under(scope).starting_at(&(scope.clone(), from, 0u64));
            let Some(first) = CHUNKS.scan(&snapshot, &range, 1, Direction::Ascending).await?.pop() else {
                return Ok(days);
            };
            let day = first.key.1 / DAY_MS;
            from = (day + 1) * DAY_MS;
            let range = KeyRange::under(scope).before(&(scope.clone(), from, 0u64));
            if let Some(last) = CHUNKS.scan(&snapshot, &range, 1, Direction::Descending).await?.pop() {
                let last_at = last.value.events.last().map_or(last.key.1, |(at, _)| *at);
                days.push((day, first.key.1, last_at, last.value.ingested));
            }
        }
    }
}

impl Query {
    fn range(&self, scope: &String) -> KeyRange {
        let start = (scope.clone(), self.from.saturating_sub(SPAN_MAX_MS), 0u64);
        let range = KeyRange::under(scope).starting_at(&start).before(&(scope.clone(), self.to, 0u64));
        match (self.beyond, self.direction) {
            (None, _) => range,
            (Some(Position { chunk, .. }), Direction::Ascending) => {
                range.starting_at(&(scope.clone(), chunk.0, chunk.1))
            }
            (Some(Position { chunk, .. }), Direction::Descending) => {
                let next = (scope.clone(), chunk.0, chunk.1.saturating_add(1)).to_bytes();
                range.before_bytes(&next)
            }
        }
    }

    /// The events of a chunk that are within the query, in its direction.
    fn events_of(&self, chunk: (u64, u64), Chunk { ingested, events }: Chunk) -> Vec<Event> {
        let event = |(index, (at, message)): (usize, (u64, String))| Event {
            position: Position { chunk, index: index as u32 },
            at: Timestamp::from_millis(at),
            ingested: Timestamp::from_millis(ingested),
            message,
        };
        let within = |event: &Event| {
            let in_time = (self.from..self.to).contains(&event.at.millis());
            in_time
                && self.beyond.is_none_or(|beyond| match self.direction {
                    Direction::Ascending => event.position > beyond,
                    Direction::Descending => event.position < beyond,
                })
        };
        let mut events: Vec<Event> = events.into_iter().enumerate().map(event).filter(within).collect();
        if self.direction == Direction::Descending {
            events.reverse();
        }
        events
    }

    /// The place behind a whole chunk, in the query's direction.
    fn behind_chunk(&self, chunk: (u64, u64)) -> Position {
        let index = match self.direction {
            Direction::Ascending => 999_999,
            Direction::Descending => 0,
        };
        Position { chunk, index }
    }
}

/// The moment under which an event is kept behind one of the moment `last`.
fn in_order(at: u64, last: u64) -> u64 {
    if last.saturating_sub(at) < SPAN_MAX_MS { at.max(last) } else { at }
}

/// Chunks within their bounds, none of them empty.
fn cut(events: Vec<(u64, String)>) -> Vec<Vec<(u64, String)>> {
    let mut chunks: Vec<Vec<(u64, String)>> = Vec::new();
    let mut bytes = 0;
    for (at, message) in events {
        let fits = chunks.last().is_some_and(|chunk| {
            let first = chunk[0].0;
            chunk.len() < CHUNK_EVENTS_MAX
                && bytes + message.len() <= CHUNK_BYTES_MAX
                && at >= first
                && at - first < SPAN_MAX_MS
                && at / DAY_MS == first / DAY_MS
        });
        if !fits {
            chunks.push(Vec::new());
            bytes = 0;
        }
        bytes += message.len();
        chunks.last_mut().expect("one was just made sure of").push((at, message));
    }
    chunks
}

#[cfg(test)]
mod tests;
