//! A bounded ring of committed transactions, and its consumers.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{BoxFuture, Change, ChangeSource, Changes, Committed, FeedError, Revision, Transaction, Write};

/// How much the ring remembers: the oldest transaction goes when either is exceeded.
#[derive(Debug, Clone, Copy)]
pub struct FeedBounds {
    /// Transactions.
    pub transactions_max: usize,
    /// Bytes of keys and values, and a fixed part per transaction. The newest transaction stays even if it is larger.
    pub bytes_max: usize,
}

impl Default for FeedBounds {
    fn default() -> Self {
        Self { transactions_max: 65_536, bytes_max: 64 * 1024 * 1024 }
    }
}

/// The change feed of a store that commits in this process.
pub struct Feed {
    shared: Arc<Shared>,
    /// Dropped with the store, which tells the consumers.
    head: watch::Sender<Revision>,
}

struct Shared {
    ring: Mutex<Ring>,
    bounds: FeedBounds,
}

struct Ring {
    committed: VecDeque<Arc<Committed>>,
    bytes: usize,
    /// The newest transaction that is no longer remembered.
    floor: Revision,
}

impl Feed {
    /// A feed that begins after `start`, normally the revision of the store when it was opened.
    pub fn new(start: Revision, bounds: FeedBounds) -> Self {
        let ring = Mutex::new(Ring { committed: VecDeque::new(), bytes: 0, floor: start });
        Self { shared: Arc::new(Shared { ring, bounds }), head: watch::Sender::new(start) }
    }

    /// Tells the consumers of committed transactions, in ascending order of their revisions. Never waits for one.
    pub fn publish(&self, committed: impl IntoIterator<Item = Committed>) {
        let mut ring = self.shared.ring.lock();
        let mut newest = None;
        for transaction in committed {
            newest = Some(transaction.revision);
            ring.bytes += weight(&transaction);
            ring.committed.push_back(Arc::new(transaction));
            while ring.committed.len() > 1
                && (ring.committed.len() > self.shared.bounds.transactions_max
                    || ring.bytes > self.shared.bounds.bytes_max)
            {
                ring.forget_oldest();
            }
        }
        drop(ring);
        if let Some(newest) = newest {
            self.head.send_replace(newest);
        }
    }

    /// A consumer of everything after `from`.
    pub fn changes(&self, from: Revision) -> Changes {
        Changes::new(Consumer { shared: self.shared.clone(), head: self.head.subscribe(), position: from })
    }
}

impl Ring {
    fn forget_oldest(&mut self) {
        if let Some(oldest) = self.committed.pop_front() {
            self.bytes -= weight(&oldest);
            self.floor = oldest.revision;
        }
    }
}

impl Committed {
    /// A transaction as the feed tells it.
    pub fn new(revision: Revision, transaction: Transaction) -> Self {
        let told = if transaction.is_quiet() { Vec::new() } else { transaction.into_writes() };
        let changes = told.into_iter().map(|Write { table, key, value }| Change { table, key, value }).collect();
        Self { revision, changes }
    }
}

/// The bytes that a remembered transaction counts for.
fn weight(transaction: &Committed) -> usize {
    let change = |change: &Change| 80 + change.key.len() + change.value.as_ref().map_or(0, |value| value.len());
    64 + transaction.changes.iter().map(change).sum::<usize>()
}

struct Consumer {
    shared: Arc<Shared>,
    head: watch::Receiver<Revision>,
    position: Revision,
}

impl Consumer {
    /// What follows the position, if it is there already.
    fn following(&self) -> Result<Option<Arc<Committed>>, FeedError> {
        let ring = self.shared.ring.lock();
        if self.position < ring.floor {
            return Err(FeedError::Gone);
        }
        let next = ring.committed.partition_point(|transaction| transaction.revision <= self.position);
        Ok(ring.committed.get(next).cloned())
    }

    /// What follows the position, if it is there already; the position moves on.
    fn advance(&mut self) -> Result<Option<Arc<Committed>>, FeedError> {
        let following = self.following()?;
        self.position = following.as_ref().map_or(self.position, |transaction| transaction.revision);
        Ok(following)
    }
}

impl ChangeSource for Consumer {
    fn next(&mut self) -> BoxFuture<'_, Result<Arc<Committed>, FeedError>> {
        Box::pin(async move {
            loop {
                self.head.borrow_and_update(); // before looking, so that no publication falls in between
                if let Some(transaction) = self.advance()? {
                    return Ok(transaction);
                }
                if self.head.changed().await.is_err() {
                    // Closed; but something may have been published last.
                    return self.advance()?.ok_or(FeedError::Closed);
                }
            }
        })
    }

    fn ready(&mut self) -> Option<Result<Arc<Committed>, FeedError>> {
        self.advance().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed(revision: u64, value_bytes: usize) -> Committed {
        let mut transaction = Transaction::new();
        transaction.put("t", vec![1], vec![0; value_bytes]);
        Committed::new(Revision(revision), transaction)
    }

    #[tokio::test]
    async fn the_ring_is_bounded_in_bytes_and_always_has_the_newest() {
        let feed = Feed::new(Revision(0), FeedBounds { transactions_max: 100, bytes_max: 10_000 });
        feed.publish((1..=10).map(|revision| committed(revision, 3_000)));
        let remembered = |feed: &Feed| {
            let ring = feed.shared.ring.lock();
            (ring.floor, ring.committed.len(), ring.bytes)
        };
        let each = weight(&committed(1, 3_000));
        assert_eq!(remembered(&feed), (Revision(7), 3, 3 * each));
        assert_eq!(feed.changes(Revision(6)).next().await, Err(FeedError::Gone));
        assert_eq!(feed.changes(Revision(7)).next().await.unwrap().revision, Revision(8));

        feed.publish([committed(11, 1_000_000)]);
        assert_eq!((remembered(&feed).0, remembered(&feed).1), (Revision(10), 1));
        feed.publish([committed(12, 0)]);
        assert_eq!((remembered(&feed).0, remembered(&feed).2), (Revision(11), weight(&committed(12, 0))));
    }

    #[tokio::test]
    async fn a_consumer_reads_what_was_published_last_before_it_hears_of_the_end() {
        let feed = Feed::new(Revision(0), FeedBounds::default());
        let mut changes = feed.changes(Revision(0));
        feed.publish([committed(1, 0)]);
        drop(feed);
        assert_eq!(changes.next().await.unwrap().revision, Revision(1));
        assert_eq!(changes.next().await, Err(FeedError::Closed));
    }
}
