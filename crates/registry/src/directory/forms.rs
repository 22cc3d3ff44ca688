//! Which certificates are one certificate in several forms.

use std::collections::{BTreeSet, HashSet};

use parking_lot::RwLock;
use tidegate_ids::CertificateId;

/// Parts that are locked separately. A power of two.
const SHARDS: usize = 64;

/// The first half of a key is enough: accounts see their own certificates alone, so whoever makes two parts with the same 64
/// bits, which costs 2^64 digests against a given one, confuses only himself.
type Short = u64;

/// From what an issuer signed to the registered certificates with it: nearly always one. Some 60 bytes for each.
pub(super) struct Forms {
    shards: Box<[RwLock<Shard>]>,
}

type Shard = BTreeSet<(Short, CertificateId)>;

impl Forms {
    pub(super) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }

    /// The certificates with this signed part. O(log n).
    pub(super) fn of(&self, part: &[u8; 32]) -> Vec<CertificateId> {
        let short = short(part);
        let range = (short, CertificateId::from_bytes([0; 32]))..=(short, CertificateId::from_bytes([0xff; 32]));
        self.shard(short).read().range(range).map(|(_, id)| *id).collect()
    }

    pub(super) fn put(&self, part: &[u8; 32], id: CertificateId) {
        self.shard(short(part)).write().insert((short(part), id));
    }

    pub(super) fn remove(&self, part: &[u8; 32], id: CertificateId) {
        self.shard(short(part)).write().remove(&(short(part), id));
    }

    /// Forgets all certificates that are not kept.
    pub(super) fn retain(&self, keep: &HashSet<CertificateId>) {
        self.shards.iter().for_each(|shard| shard.write().retain(|(_, id)| keep.contains(id)));
    }

    fn shard(&self, short: Short) -> &RwLock<Shard> {
        &self.shards[short as usize % SHARDS]
    }
}

fn short(part: &[u8; 32]) -> Short {
    Short::from_be_bytes(*part.first_chunk().expect("a digest is longer"))
}
