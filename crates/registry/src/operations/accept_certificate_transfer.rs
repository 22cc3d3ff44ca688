//! AWS: API_AcceptCertificateTransfer.

use tidegate_ids::{CertificateId, Now, Tenant};
use tidegate_kv::Transaction;

use super::{delete_certificate::remove_rows, transfer_certificate::Pending};
use crate::{
    CertificateStatus, Registry, RegistryError,
    tables::{CERTIFICATES, CERTIFICATES_OUTGOING},
};

impl Registry {
    /// Takes a certificate that another account offered: it is this account's from now on, and no longer the other's.
    ///
    /// It is INACTIVE, or ACTIVE with `set_as_active`; it has no policies. Of accepting, rejecting and cancelling at the same
    /// moment exactly one happens.
    ///
    /// # Errors
    /// `TransferNotFound`, `TransferCompleted`.
    pub async fn accept_certificate_transfer(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        set_as_active: bool,
        now: Now,
    ) -> Result<(), RegistryError> {
        let status = if set_as_active { CertificateStatus::Active } else { CertificateStatus::Inactive };
        let generation_id = &self.generation_id();
        self.change(|read| async move {
            let Pending { leaf, giver, given, offered, .. } = Pending::incoming(&read, tenant, certificate_id).await?;
            let mut transaction = Transaction::new();
            let mut record = offered.value;
            if let Some(transfer) = &mut record.transfer {
                transfer.accepted = Some(now.wall);
            }
            record.previous_owned_by = Some(giver.account);
            record.update(status, generation_id.clone(), now.wall);
            CERTIFICATES.replace(&mut transaction, &(tenant, certificate_id), offered.revision, &record);
            CERTIFICATES_OUTGOING.delete(&mut transaction, &(giver, given.value.created, certificate_id));
            remove_rows(&mut transaction, giver, &leaf, &given);
            Ok((transaction, ()))
        })
        .await
    }
}
