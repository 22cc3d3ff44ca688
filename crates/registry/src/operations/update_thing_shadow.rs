//! AWS: API_iotdata_UpdateThingShadow.

use tidegate_ids::{Now, Tenant};
use tidegate_kv::Transaction;
use tidegate_shadow::{Place, Rejection, Shadow, Update};

use super::get_thing_shadow::{read_shadow, shadow_key};
use crate::{
    Registry, RegistryError,
    records::ShadowRecord,
    tables::{NAMED_SHADOWS, SHADOWS},
};

/// A shadow before and after an update.
#[derive(Debug, Clone, PartialEq)]
pub struct UpdatedShadow {
    /// `None`: there was none.
    pub before: Option<Shadow>,
    /// As it is now.
    pub after: Shadow,
}

impl Registry {
    /// Changes a shadow, or makes it; the thing need not be registered. What is rejected changes nothing.
    pub async fn update_thing_shadow(
        &self,
        tenant: Tenant,
        place: &Place,
        update: &Update,
        now: Now,
    ) -> Result<Result<UpdatedShadow, Rejection>, RegistryError> {
        self.change_unseen(|read| async move {
            let mut transaction = Transaction::new();
            let row = read_shadow(&read, tenant, place).await?;
            let stored = row.as_ref().map(|row| &row.value.0);
            let after = match Shadow::update(stored, update, now.wall) {
                Ok(after) => after,
                Err(rejection) => return Ok((transaction, Err(rejection))),
            };
            let key = shadow_key(tenant, place);
            SHADOWS.require_as_read(&mut transaction, &key, row.as_ref());
            SHADOWS.put(&mut transaction, &key, &ShadowRecord(after.clone()));
            let before = stored.filter(|stored| !stored.deleted).cloned();
            if let (Some(name), None) = (&place.shadow, &before) {
                NAMED_SHADOWS.put(&mut transaction, &(tenant, place.thing.clone(), name.clone()), &());
            }
            Ok((transaction, Ok(UpdatedShadow { before, after })))
        })
        .await
    }
}
