//! AWS: API_DeleteCertificate.

use tidegate_ids::{CertificateId, Tenant};
use tidegate_kv::{Direction, Transaction, Versioned};
use tidegate_pki::ClientLeaf;

use super::{
    attach_thing_principal::require_no_things, describe_certificate::read_certificate,
    register_certificate::rewritable_part,
};
use crate::{
    CertificateStatus, DeviceCertificateRecord, POLICIES_PER_TARGET_MAX, PolicyTarget, Registry, RegistryError,
    ThingPrincipal,
    tables::{
        CERTIFICATE_OWNERS, CERTIFICATES, CERTIFICATES_BY_CA, CERTIFICATES_BY_CREATION, CERTIFICATES_BY_SIGNED_PART,
        POLICIES_OF_TARGET, TARGETS_OF_POLICY,
    },
};

impl Registry {
    /// Deletes a certificate that is not ACTIVE and has neither things nor policies; with `force`, its policies are detached.
    ///
    /// A policy or a thing attached meanwhile wins or loses as a whole. The same leaf may be registered again afterwards, by its own
    /// CONNECT too: to ban a device, keep it REVOKED.
    ///
    /// # Errors
    /// `CertificateNotFound`, `CertificateActive`, `CertificateInTransfer`, `ThingsAttached`, `PoliciesAttached`.
    pub async fn delete_certificate(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        force: bool,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_certificate(&read, tenant, certificate_id).await?;
            check_deletable(row.value.status, certificate_id)?;
            let mut transaction = Transaction::new();
            let things = RegistryError::ThingsAttached(tenant, certificate_id);
            let principal = ThingPrincipal::Certificate(certificate_id);
            require_no_things(&read, &mut transaction, tenant, principal, things).await?;
            let target = PolicyTarget::Certificate(certificate_id);
            let of_target = POLICIES_OF_TARGET.under(&(tenant, target.clone()));
            let limit = POLICIES_PER_TARGET_MAX + 1;
            let attached = POLICIES_OF_TARGET.scan(&read, &of_target, limit, Direction::Ascending).await?;
            if !attached.is_empty() && !force {
                return Err(RegistryError::PoliciesAttached(tenant, certificate_id));
            }
            POLICIES_OF_TARGET.require_unchanged(&mut transaction, of_target, &read);
            for attachment in attached {
                let name = attachment.key.2;
                TARGETS_OF_POLICY.delete(&mut transaction, &(tenant, name.clone(), target.clone()));
                POLICIES_OF_TARGET.delete(&mut transaction, &(tenant, target.clone(), name));
            }
            let leaf = stored_leaf(&row.value)?;
            remove_rows(&mut transaction, tenant, &leaf, &row);
            Ok((transaction, ()))
        })
        .await
    }
}

/// The certificate in a row.
pub(super) fn stored_leaf(record: &DeviceCertificateRecord) -> Result<ClientLeaf, RegistryError> {
    ClientLeaf::from_pem(&record.pem).map_err(|error| RegistryError::Internal(error.into()))
}

/// Removes a certificate's row, which must be as read, and its index rows.
pub(super) fn remove_rows(
    transaction: &mut Transaction,
    tenant: Tenant,
    leaf: &ClientLeaf,
    row: &Versioned<DeviceCertificateRecord>,
) {
    let (id, created) = (leaf.certificate_id(), row.value.created);
    CERTIFICATES.remove(transaction, &(tenant, id), row.revision);
    CERTIFICATES_BY_CREATION.delete(transaction, &(tenant, created, id));
    if let Some(ca) = row.value.ca_certificate_id {
        CERTIFICATES_BY_CA.delete(transaction, &(tenant, ca, created, id));
    }
    if let Some(part) = rewritable_part(leaf) {
        // After the certificate's own row: the directory forgets a form when nobody has the certificate.
        CERTIFICATES_BY_SIGNED_PART.delete(transaction, &(part, tenant.region, tenant.account, id));
    }
    CERTIFICATE_OWNERS.delete(transaction, &(id, tenant.region, tenant.account));
}

/// Whether a certificate in this status may be deleted.
fn check_deletable(status: CertificateStatus, id: CertificateId) -> Result<(), RegistryError> {
    use CertificateStatus::*;
    match status {
        Active => Err(RegistryError::CertificateActive(id)),
        PendingTransfer => Err(RegistryError::CertificateInTransfer(id)),
        Inactive | Revoked | RegisterInactive | PendingActivation => Ok(()),
    }
}
