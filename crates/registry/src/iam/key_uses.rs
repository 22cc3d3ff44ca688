//! When access keys were last used.
//!
//! ```text
//!   a signature that is right ──▶ memory: the last use of each key ── now and then ──▶ rows, one commit for many keys
//! ```
//!
//! **Invariant:** a request writes nothing to the store. What is in memory is bounded by the keys that there are.
//!
//! AWS: API_GetAccessKeyLastUsed of IAM; it tells with a delay that is not documented.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
};

use parking_lot::Mutex;
use tidegate_ids::{AccessKeyId, AccountId, Region, Timestamp};
use tidegate_kv::Transaction;

use super::{Credential, IamError};
use crate::{
    Registry, RegistryError,
    records::AccessKeyUse,
    tables::{ACCESS_KEY_USES, ACCESS_KEYS},
};

/// Keys whose uses are written in one commit.
const BATCH_MAX: usize = 256;

/// Uses that are not written yet: the last one of each key.
#[derive(Default)]
pub(crate) struct KeyUses(Mutex<HashMap<AccessKeyId, AccessKeyUse>>);

impl KeyUses {
    fn note(&self, id: &AccessKeyId, last: AccessKeyUse) {
        match self.0.lock().entry(id.clone()) {
            Entry::Vacant(place) => drop(place.insert(last)),
            Entry::Occupied(mut place) if place.get().at <= last.at => drop(place.insert(last)),
            Entry::Occupied(_) => {}
        }
    }

    fn get(&self, id: &AccessKeyId) -> Option<AccessKeyUse> {
        self.0.lock().get(id).cloned()
    }

    fn all(&self) -> Vec<(AccessKeyId, AccessKeyUse)> {
        self.0.lock().iter().map(|(id, last)| (id.clone(), last.clone())).collect()
    }

    /// Forgets what was written, unless the key was used again meanwhile.
    fn written(&self, batch: &[(AccessKeyId, AccessKeyUse)]) {
        let mut uses = self.0.lock();
        for (id, last) in batch {
            if uses.get(id) == Some(last) {
                uses.remove(id);
            }
        }
    }
}

impl fmt::Debug for KeyUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyUses").field("keys", &self.0.lock().len()).finish()
    }
}

impl Registry {
    /// Notes that a request was signed with a key, and rightly. A few hundred nanoseconds; nothing is written. Keys of sessions are not
    /// noted: they are nobody's to list.
    ///
    /// `service` is what the signature was for, such as `iot`.
    pub fn note_access_key_use(&self, credential: &Credential, service: &str, region: Region, at: Timestamp) {
        if !credential.is_session() {
            self.key_uses().note(&credential.access_key_id, AccessKeyUse { at, service: service.to_owned(), region });
        }
    }

    /// Makes durable what was noted, in a commit for every 256 keys. What a crash takes is what was noted since the last call.
    ///
    /// # Errors
    /// When the store fails: what was not written stays noted.
    pub async fn keep_access_key_uses(&self) -> Result<(), RegistryError> {
        // What is used again while this runs is for the next time: it ends.
        for batch in self.key_uses().all().chunks(BATCH_MAX) {
            self.change_unseen(|read| async move {
                let mut transaction = Transaction::new();
                for (id, last) in batch {
                    // Of a key that was deleted meanwhile nothing is left behind.
                    let key = ACCESS_KEYS.get(&read, id).await?;
                    if key.is_some() {
                        ACCESS_KEYS.require_as_read(&mut transaction, id, key.as_ref());
                        ACCESS_KEY_USES.put(&mut transaction, id, last);
                    }
                }
                Ok((transaction, ()))
            })
            .await?;
            self.key_uses().written(batch);
        }
        Ok(())
    }

    /// Whose key it is (`None`: the root's), and its last use, if it was ever used.
    ///
    /// # Errors
    /// `NoSuchAccessKey`: it is not there, or another account's.
    pub async fn access_key_last_used(
        &self,
        account: AccountId,
        id: &AccessKeyId,
    ) -> Result<(Option<String>, Option<AccessKeyUse>), RegistryError> {
        let read = self.read().await?;
        let key = ACCESS_KEYS.get(&read, id).await?.filter(|row| row.value.account == account);
        let key = key.ok_or_else(|| IamError::NoSuchAccessKey(id.clone()))?;
        let last = match self.key_uses().get(id) {
            Some(last) => Some(last),
            None => ACCESS_KEY_USES.get(&read, id).await?.map(|row| row.value),
        };
        Ok((key.value.user, last))
    }
}
