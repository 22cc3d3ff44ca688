//! A world's journal, and its end by a kill.

use std::{sync::Arc, time::Duration};

use tidegate_broker::{Alone, Broker, Effects, Record, Token};
use tidegate_ids::{Monotonic, Now};

use super::World;

/// One turn's records and what waits for them.
pub struct Batch {
    pub records: Vec<Record>,
    pub token: Token,
    /// Its number on the disk.
    number: u64,
}

impl World {
    /// What a journal would write, and what waits for it.
    pub fn batch(&mut self) -> Option<Batch> {
        let token = self.effects.take_token()?;
        let records = self.take_records();
        let number = self.disk.take(records.clone());
        Some(Batch { records, token, number })
    }

    fn take_records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        let bytes = self.broker.take_records(&mut records);
        self.broker.settle_records(bytes);
        records
    }

    /// Write a batch, behind all earlier ones, and say so to whoever waits for it.
    pub fn commit(&mut self, batch: Batch) {
        self.disk.write_to(batch.number);
        self.broker.persisted(batch.token, self.now, &mut self.effects);
    }

    /// Make everything durable that waits to be.
    pub fn make_durable(&mut self) -> Vec<Record> {
        let mut written = Vec::new();
        while let Some(batch) = self.batch() {
            written.extend_from_slice(&batch.records);
            self.commit(batch);
        }
        written
    }

    /// Write all there is, and tell nobody.
    pub fn write_all(&mut self) {
        let records = self.take_records();
        let number = self.disk.take(records);
        self.disk.write_to(number);
    }

    /// The process ends in the middle of its work, and another one begins `after` that with what was written.
    pub fn kill(&mut self, after: Duration) {
        self.disk.lose_the_rest();
        self.effects = Effects::new(0);
        self.broker = Arc::new(Broker::new(self.settings.clone(), Arc::new(Alone), Arc::new(Alone)));
        self.now = Now { monotonic: Monotonic::default(), wall: self.now.wall + after };
        self.disk.restore(&self.broker, &self.profile, self.now);
    }
}
