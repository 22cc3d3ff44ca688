//! The task that commits.

use std::sync::Arc;

use tidegate_broker::{Broker, Effects, Record};
use tidegate_ids::{Clock, Monotonic};
use tidegate_kv::{CommitError, Key, Store, StoreError};
use tidegate_mqtt::ReasonCode;
use tokio::sync::watch;
use tracing::{error, warn};

use super::{Tray, ledger::Ledger, pending::Table, recovery::store_error};

/// How often at most it is logged that the store takes nothing.
const LOG_INTERVAL_MS: u64 = 60_000;
/// Segments written again in one commit, at most.
const COMPACTIONS_MAX: usize = 4;

pub(super) struct Task {
    store: Arc<dyn Store>,
    broker: Arc<Broker>,
    clock: Arc<dyn Clock>,
    tray: Arc<Tray>,
    ledger: Ledger,
    records: Vec<Record>,
    refusal_logged: Option<Monotonic>,
}

impl Task {
    pub(super) fn new(
        store: Arc<dyn Store>,
        broker: Arc<Broker>,
        clock: Arc<dyn Clock>,
        tray: Arc<Tray>,
        ledger: Ledger,
    ) -> Self {
        Self { store, broker, clock, tray, ledger, records: Vec::new(), refusal_logged: None }
    }

    /// Commits until told to stop and nothing is left. An error is final: the store takes nothing any more.
    pub(super) async fn run(mut self, stopped: watch::Receiver<bool>) -> Result<(), StoreError> {
        loop {
            let last = *stopped.borrow();
            if let Err(error) = self.turn().await {
                error!(event_type = "Journal", %error, "the journal ended: nothing is durable any more");
                return Err(error);
            }
            if last {
                return Ok(());
            }
            self.tray.filled.notified().await;
        }
    }

    /// One commit of everything that was logged by now, and the answers to it.
    async fn turn(&mut self) -> Result<(), StoreError> {
        // Tokens first: what they wait for is among the records then.
        let token = self.tray.take();
        let bytes = self.broker.take_records(&mut self.records);
        self.compact().await?;
        self.ledger.apply(self.records.drain(..));
        let outcome = self.commit().await;
        let was_behind = self.broker.is_behind();
        self.broker.settle_records(bytes);
        let now = self.clock.now();
        let mut effects = Effects::outside();
        let result = match outcome {
            Ok(()) => {
                self.refusal_logged = None;
                self.broker.persisted(token, now, &mut effects);
                Ok(())
            }
            Err(error @ StoreError::Full { .. }) => {
                self.log_refusal(&error, now.monotonic);
                self.ledger.pending().give_up_messages();
                self.broker.persist_failed(token, ReasonCode::QuotaExceeded, now, &mut effects);
                Ok(())
            }
            Err(error) => {
                self.broker.persist_failed(token, ReasonCode::UnspecifiedError, now, &mut effects);
                Err(error)
            }
        };
        self.broker.hand_over(&mut effects);
        if was_behind && !self.broker.is_behind() {
            self.broker.wake_all();
        }
        result
    }

    async fn compact(&mut self) -> Result<(), StoreError> {
        for _ in 0..COMPACTIONS_MAX {
            let Some(number) = self.ledger.next_wasteful() else { break };
            // Not there: it still waits for room on the disk.
            let Some(row) = self.store.get(Table::Bodies.name(), &number.to_bytes()).await? else { continue };
            self.ledger.compact(number, &row.value).map_err(|error| store_error(Table::Bodies, error))?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        for transaction in self.ledger.pending().transactions() {
            match self.store.commit(transaction).await {
                Ok(_) => {}
                Err(CommitError::Store(error)) => return Err(error),
                Err(CommitError::Conflict) => unreachable!("a transaction without preconditions cannot conflict"),
            }
        }
        self.ledger.pending().written();
        Ok(())
    }

    fn log_refusal(&mut self, error: &StoreError, now: Monotonic) {
        let due = self.refusal_logged.is_none_or(|at| now.millis() - at.millis() >= LOG_INTERVAL_MS);
        if due {
            self.refusal_logged = Some(now);
            warn!(event_type = "Journal", %error, "QoS 1 and 2 messages for kept sessions and retained ones are refused");
        }
    }
}
