//! Who signs requests.

use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::RwLock;
use tidegate_ids::{AccessKeyId, AccountId};
use tidegate_pki::seal::MasterKey;
use zeroize::Zeroizing;

use crate::{AccessKeyStatus, iam::SessionToken, operations::secret_place, records::AccessKeyRecord};

/// A secret access key. Wiped when dropped; `Debug` hides it.
#[derive(Clone)]
pub struct SecretAccessKey(Zeroizing<Vec<u8>>);

impl SecretAccessKey {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(Zeroizing::new(secret.to_vec()))
    }

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

    /// The account, the user and the secret of an active key.
    pub(super) fn get(&self, id: &AccessKeyId) -> Option<(AccountId, Option<String>, SecretAccessKey)> {
        let record = self.by_id.read().get(id)?.clone();
        match record.status {
            AccessKeyStatus::Active => {
                let secret = self.master_key.open(&secret_place(id), &record.secret.0).ok()?;
                Some((record.account, record.user, SecretAccessKey(secret)))
            }
            AccessKeyStatus::Inactive => None,
        }
    }

    /// The account and the user of a key, active or not.
    pub(super) fn owner(&self, id: &AccessKeyId) -> Option<(AccountId, Option<String>)> {
        self.by_id.read().get(id).map(|record| (record.account, record.user.clone()))
    }

    pub(super) fn is_active(&self, id: &AccessKeyId) -> bool {
        self.by_id.read().get(id).is_some_and(|record| record.status == AccessKeyStatus::Active)
    }

    /// What a session token holds, if it was sealed here.
    pub(super) fn open_token(&self, text: &str) -> Option<SessionToken> {
        SessionToken::open(text, &self.master_key)
    }

    pub(super) fn put(&self, id: AccessKeyId, record: AccessKeyRecord) {
        self.by_id.write().insert(id, record);
    }

    /// Returns whose it was.
    pub(super) fn remove(&self, id: &AccessKeyId) -> Option<AccountId> {
        self.by_id.write().remove(id).map(|record| record.account)
    }

    pub(super) fn retain(&self, keep: impl Fn(&AccessKeyId) -> bool) {
        self.by_id.write().retain(|id, _| keep(id));
    }
}
