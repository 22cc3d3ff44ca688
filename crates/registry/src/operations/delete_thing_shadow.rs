//! AWS: API_iotdata_DeleteThingShadow.

use tidegate_ids::{Now, Tenant};
use tidegate_kv::Transaction;
use tidegate_shadow::{Place, Rejection, Shadow};

use super::get_thing_shadow::{read_shadow, shadow_key};
use crate::{
    Registry, RegistryError,
    records::ShadowRecord,
    tables::{NAMED_SHADOWS, SHADOWS},
};

impl Registry {
    /// Deletes a shadow; what is left of it is its version, which a new one goes on from.
    pub async fn delete_thing_shadow(
        &self,
        tenant: Tenant,
        place: &Place,
        expected_version: Option<u64>,
        now: Now,
    ) -> Result<Result<Shadow, Rejection>, RegistryError> {
        self.change_unseen(|read| async move {
            let mut transaction = Transaction::new();
            let Some(row) = read_shadow(&read, tenant, place).await?.filter(|row| !row.value.0.deleted) else {
                return Ok((transaction, Err(Rejection::not_found(place))));
            };
            let deleted = match row.value.0.delete(expected_version, now.wall) {
                Ok(deleted) => deleted,
                Err(rejection) => return Ok((transaction, Err(rejection))),
            };
            let key = shadow_key(tenant, place);
            SHADOWS.replace(&mut transaction, &key, row.revision, &ShadowRecord(deleted.clone()));
            if let Some(name) = &place.shadow {
                NAMED_SHADOWS.delete(&mut transaction, &(tenant, place.thing.clone(), name.clone()));
            }
            Ok((transaction, Ok(deleted)))
        })
        .await
    }
}
