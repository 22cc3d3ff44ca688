//! AWS: API_DetachThingPrincipal.

use tidegate_ids::{Tenant, ThingName};
use tidegate_kv::Transaction;

use super::{describe_certificate::read_certificate, describe_thing::read_thing};
use crate::{
    Registry, RegistryError, ThingPrincipal, ThingPrincipalType,
    tables::{EXCLUSIVE_THINGS, PRINCIPALS_OF_THING, THINGS_OF_PRINCIPAL},
};

impl Registry {
    /// Detaches a principal from a thing. What is not attached counts as detached; both sides must exist.
    ///
    /// Unverified: that AWS takes the detachment of what is not attached.
    ///
    /// # Errors
    /// `ThingNotFound`, `CertificateNotFound`.
    pub async fn detach_thing_principal(
        &self,
        tenant: Tenant,
        thing: &ThingName,
        principal: ThingPrincipal,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            read_thing(&read, tenant, thing).await?;
            match principal {
                ThingPrincipal::Certificate(id) => read_certificate(&read, tenant, id).await?,
            };
            let key = (tenant, principal, thing.clone());
            let mut transaction = Transaction::new();
            if let Some(row) = THINGS_OF_PRINCIPAL.get(&read, &key).await? {
                THINGS_OF_PRINCIPAL.remove(&mut transaction, &key, row.revision);
                if row.value.kind == ThingPrincipalType::ExclusiveThing {
                    EXCLUSIVE_THINGS.delete(&mut transaction, &(tenant, principal));
                }
                PRINCIPALS_OF_THING.delete(&mut transaction, &(tenant, thing.clone(), principal));
            }
            Ok((transaction, ()))
        })
        .await
    }
}
