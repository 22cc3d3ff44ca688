//! Rows to be written: the newest value of each, cut into transactions.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidegate_ids::Tenant;
use tidegate_kv::{Key, TRANSACTION_BYTES_MAX, TRANSACTION_STEPS_MAX, Transaction};

/// A table of the journal.
///
/// The order is that in which rows are put, should a commit need more than one transaction: what refers to something
/// after that, and that a QoS 2 packet id was received after the message that came with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Table {
    /// Segment → the message bodies of one commit, or of a part of a large one.
    Bodies,
    /// Tenant and number → session.
    Sessions,
    /// Tenant, number of the session, filter → subscription.
    Subscriptions,
    /// Number of the session, first sequence number → references to bodies: what one commit queued for one session.
    Chunks,
    /// Tenant and topic name → retained message.
    Retained,
    /// Number of the session → how far it is.
    Progress,
}

impl Table {
    /// The order in which rows are deleted: a session first, so that what is left of it is known to be left over.
    const DELETED: [Self; 6] =
        [Self::Sessions, Self::Subscriptions, Self::Progress, Self::Chunks, Self::Bodies, Self::Retained];

    /// Part of the stored format.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Bodies => "mqtt-bodies",
            Self::Sessions => "mqtt-sessions",
            Self::Subscriptions => "mqtt-subscriptions",
            Self::Chunks => "mqtt-chunks",
            Self::Retained => "mqtt-retained",
            Self::Progress => "mqtt-progress",
        }
    }
}

/// A session or its parts, by tenant.
pub(super) fn session_key(tenant: Tenant, session: u64) -> Vec<u8> {
    (tenant, session).to_bytes()
}

pub(super) fn subscription_key(tenant: Tenant, session: u64, topic_filter: &str) -> Vec<u8> {
    (tenant, session, topic_filter.to_owned()).to_bytes()
}

pub(super) fn chunk_key(session: u64, first: u64) -> Vec<u8> {
    (session, first).to_bytes()
}

pub(super) fn retained_key(tenant: Tenant, topic_name: &str) -> Vec<u8> {
    (tenant, topic_name.to_owned()).to_bytes()
}

/// Rows to be written. Bounded by what exists: a row stands here once, however often it changes.
///
/// Their bytes are shared with the transactions made of them, which may have to be made again.
#[derive(Debug, Default)]
pub(super) struct Pending(BTreeMap<(Table, Bytes), Option<Bytes>>);

impl Pending {
    pub(super) fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.0.insert((table, key.into()), Some(value.into()));
    }

    pub(super) fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.0.insert((table, key.into()), None);
    }

    /// What to commit, one after the other; mostly one.
    pub(super) fn transactions(&self) -> Vec<Transaction> {
        let mut transactions = Vec::new();
        let (mut transaction, mut steps, mut bytes) = (Transaction::quiet(), 0, 0);
        let puts = self.0.iter().filter(|(_, value)| value.is_some());
        let deletes = Table::DELETED.into_iter().flat_map(|table| {
            let of_table = self.0.range((table, Bytes::new())..).take_while(move |((found, _), _)| *found == table);
            of_table.filter(|(_, value)| value.is_none())
        });
        for ((table, key), value) in puts.chain(deletes) {
            let more = key.len() + value.as_ref().map_or(0, Bytes::len);
            if steps == TRANSACTION_STEPS_MAX || (steps > 0 && bytes + more > TRANSACTION_BYTES_MAX) {
                transactions.push(std::mem::replace(&mut transaction, Transaction::quiet()));
                (steps, bytes) = (0, 0);
            }
            match value {
                Some(value) => transaction.put(table.name(), key.clone(), value.clone()),
                None => transaction.delete(table.name(), key.clone()),
            };
            (steps, bytes) = (steps + 1, bytes + more);
        }
        if !transaction.is_empty() {
            transactions.push(transaction);
        }
        transactions
    }

    /// All is on disk.
    pub(super) fn written(&mut self) {
        self.0.clear();
    }

    /// The store takes nothing now: forget new messages, whose publishers are told, and keep the rest for the next time.
    pub(super) fn give_up_messages(&mut self) {
        self.0.retain(|(table, _), value| match table {
            Table::Bodies | Table::Chunks | Table::Retained => value.is_none(),
            Table::Sessions | Table::Subscriptions | Table::Progress => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(transaction: &Transaction) -> Vec<(&'static str, bool)> {
        transaction.writes().iter().map(|write| (write.table, write.value.is_some())).collect()
    }

    #[test]
    fn bodies_are_put_before_what_refers_to_them_and_deleted_after() {
        let mut pending = Pending::default();
        for table in [Table::Progress, Table::Chunks, Table::Bodies] {
            pending.put(table, vec![1], vec![0]);
            pending.delete(table, vec![2]);
        }
        pending.delete(Table::Sessions, vec![2]);
        let [transaction] = &pending.transactions()[..] else { panic!("one transaction") };
        let expected = [
            ("mqtt-bodies", true),
            ("mqtt-chunks", true),
            ("mqtt-progress", true),
            ("mqtt-sessions", false),
            ("mqtt-progress", false),
            ("mqtt-chunks", false),
            ("mqtt-bodies", false),
        ];
        assert_eq!(tables(transaction), expected);
    }

    #[test]
    fn what_is_too_much_for_one_transaction_is_cut() {
        let mut pending = Pending::default();
        for n in 0..TRANSACTION_STEPS_MAX as u32 + 1 {
            pending.put(Table::Subscriptions, n.to_be_bytes().to_vec(), vec![0]);
        }
        let transactions = pending.transactions();
        assert_eq!(transactions.len(), 2);
        assert!(transactions.iter().all(|transaction| transaction.check_bounds().is_ok()));
        let mut pending = Pending::default();
        for n in 0..6 {
            pending.put(Table::Retained, vec![n], vec![0; 7 * 1024 * 1024]);
        }
        let transactions = pending.transactions();
        assert_eq!(transactions.len(), 2);
        assert!(transactions.iter().all(|transaction| transaction.check_bounds().is_ok()));
    }

    #[test]
    fn without_room_messages_are_given_up_and_all_else_stays() {
        let mut pending = Pending::default();
        pending.put(Table::Bodies, vec![1], vec![0]);
        pending.put(Table::Progress, vec![1], vec![0]);
        pending.delete(Table::Chunks, vec![2]);
        pending.give_up_messages();
        let [transaction] = &pending.transactions()[..] else { panic!("one transaction") };
        assert_eq!(tables(transaction), [("mqtt-progress", true), ("mqtt-chunks", false)]);
    }
}
