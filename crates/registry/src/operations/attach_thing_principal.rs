//! AWS: API_AttachThingPrincipal.

use tidegate_ids::{Tenant, ThingName};
use tidegate_kv::{Direction, Expected, Snapshot, Transaction};

use super::{describe_certificate::read_certificate, describe_thing::read_thing};
use crate::{
    CertificateStatus, Registry, RegistryError, ThingPrincipal, ThingPrincipalType,
    records::{AttachmentRecord, ExclusiveThingRecord},
    tables::{CERTIFICATES, EXCLUSIVE_THINGS, PRINCIPALS_OF_THING, THINGS, THINGS_OF_PRINCIPAL},
};

impl Registry {
    /// Attaches a principal to a thing; a second time changes nothing but the kind of the attachment.
    ///
    /// A principal with an exclusive thing has no other. Of an attachment and a deletion or a transfer of either side at the
    /// same moment exactly one happens. O(1) in the principal's things.
    /// AWS: developer guide, "Associating an AWS IoT thing to an MQTT client connection". Unverified: that a repetition with
    /// another kind is taken.
    ///
    /// # Errors
    /// `ThingNotFound`, `CertificateNotFound`, `TargetInTransfer`, `ExclusivelyAttached`, `AttachedToOthers`.
    pub async fn attach_thing_principal(
        &self,
        tenant: Tenant,
        thing: &ThingName,
        principal: ThingPrincipal,
        kind: ThingPrincipalType,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_thing(&read, tenant, thing).await?;
            let mut transaction = Transaction::new();
            THINGS.require(&mut transaction, &(tenant, thing.clone()), Expected::Revision(row.revision));
            require_principal(&read, &mut transaction, tenant, principal).await?;
            require_no_others(&read, &mut transaction, tenant, thing, principal, kind).await?;
            let record = AttachmentRecord { kind };
            let key = (tenant, principal, thing.clone());
            let there = THINGS_OF_PRINCIPAL.get(&read, &key).await?;
            if there.is_some_and(|row| row.value == record) {
                return Ok((Transaction::new(), ()));
            }
            THINGS_OF_PRINCIPAL.put(&mut transaction, &key, &record);
            PRINCIPALS_OF_THING.put(&mut transaction, &(tenant, thing.clone(), principal), &record);
            Ok((transaction, ()))
        })
        .await
    }
}

/// Requires that nothing else is attached to the principal when the transaction commits that forbids this attachment, and notes
/// whether the thing is exclusive now.
///
/// Attachments that are not exclusive do not meet each other: a certificate is given many things at once.
async fn require_no_others(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    thing: &ThingName,
    principal: ThingPrincipal,
    kind: ThingPrincipalType,
) -> Result<(), RegistryError> {
    let key = (tenant, principal);
    let exclusive = EXCLUSIVE_THINGS.get(read, &key).await?;
    if let Some(other) = exclusive.as_ref().map(|row| &row.value.thing).filter(|other| *other != thing) {
        return Err(RegistryError::ExclusivelyAttached(tenant, principal, other.clone()));
    }
    EXCLUSIVE_THINGS.require_as_read(transaction, &key, exclusive.as_ref());
    match kind {
        ThingPrincipalType::NonExclusiveThing if exclusive.is_some() => EXCLUSIVE_THINGS.delete(transaction, &key),
        ThingPrincipalType::NonExclusiveThing => {}
        ThingPrincipalType::ExclusiveThing => {
            let things = THINGS_OF_PRINCIPAL.under(&key);
            let attached = THINGS_OF_PRINCIPAL.scan(read, &things, 2, Direction::Ascending).await?;
            if let Some(other) = attached.into_iter().map(|row| row.key.2).find(|other| other != thing) {
                return Err(RegistryError::AttachedToOthers(tenant, principal, other));
            }
            THINGS_OF_PRINCIPAL.require_unchanged(transaction, things, read);
            EXCLUSIVE_THINGS.put(transaction, &key, &ExclusiveThingRecord { thing: thing.clone() });
        }
    }
    Ok(())
}

/// Reads the principal and requires it to be as read.
async fn require_principal(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    principal: ThingPrincipal,
) -> Result<(), RegistryError> {
    match principal {
        ThingPrincipal::Certificate(id) => {
            let row = read_certificate(read, tenant, id).await?;
            if row.value.status == CertificateStatus::PendingTransfer {
                return Err(RegistryError::TargetInTransfer(id));
            }
            CERTIFICATES.require(transaction, &(tenant, id), Expected::Revision(row.revision));
            Ok(())
        }
    }
}

/// Requires that no thing has the principal when the transaction commits; answers `attached` when one has it now.
pub(super) async fn require_no_things(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    principal: ThingPrincipal,
    attached: RegistryError,
) -> Result<(), RegistryError> {
    let things = THINGS_OF_PRINCIPAL.under(&(tenant, principal));
    if !THINGS_OF_PRINCIPAL.scan(read, &things, 1, Direction::Ascending).await?.is_empty() {
        return Err(attached);
    }
    THINGS_OF_PRINCIPAL.require_empty(transaction, things);
    Ok(())
}
