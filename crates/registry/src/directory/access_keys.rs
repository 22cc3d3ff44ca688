//! Who signs requests.

use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::RwLock;
use tidegate_ids::{AccessKeyId, AccountId};
use tidegate_pki::seal::MasterKey;
use zeroize::Zeroizing;

use crate::{AccessKeyStatus, operations::secret_place, records::AccessKeyRecord};

/// An active access key.
#[derive(Debug, Clone)]
pub struct AccessKey {
    /// The account that requests signed with it act for.
    pub account: AccountId,
    /// What they are signed with.
    pub secret: SecretAccessKey,
}

/// A secret access key. Wiped when dropped; `Debug` hides it.
#[derive(Clone)]
pub struct SecretAccessKey(Zeroizing<Vec<u8>>);

impl SecretAccessKey {
    /// The secret's characters.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretAccessKey(hidden)")
    }
}

/// All access keys; secrets stay sealed until one is asked for.
pub(super) struct AccessKeys {
    master_key: Arc<MasterKey>,
    by_id: RwLock<HashMap<AccessKeyId, AccessKeyRecord>>,
}

impl AccessKeys {
    pub(super) fn new(master_key: Arc<MasterKey>) -> Self {
        Self { master_key, by_id: RwLock::default() }
    }

    pub(super) fn get(&self, id: &AccessKeyId) -> Option<AccessKey> {
        let record = self.by_id.read().get(id)?.clone();
        match record.status {
            AccessKeyStatus::Active => {
                let secret = self.master_key.open(&secret_place(id), &record.secret.0).ok()?;
                Some(AccessKey { account: record.account, secret: SecretAccessKey(secret) })
            }
            AccessKeyStatus::Inactive => None,
        }
    }

    pub(super) fn put(&self, id: AccessKeyId, record: AccessKeyRecord) {
        self.by_id.write().insert(id, record);
    }

    pub(super) fn remove(&self, id: &AccessKeyId) {
        self.by_id.write().remove(id);
    }

    pub(super) fn retain(&self, keep: impl Fn(&AccessKeyId) -> bool) {
        self.by_id.write().retain(|id, _| keep(id));
    }
}
