//! AWS: API_RejectCertificateTransfer.

use tidegate_ids::{CertificateId, Now, Tenant};
use tidegate_kv::Transaction;

use super::{delete_certificate::remove_rows, transfer_certificate::Pending};
use crate::{
    CertificateStatus, Registry, RegistryError, Rejection,
    tables::{CERTIFICATES, CERTIFICATES_OUTGOING},
};

impl Registry {
    /// Refuses a certificate that another account offered: it is INACTIVE there again, and no longer seen here. The other
    /// account reads `reason`, of up to 128 characters.
    ///
    /// # Errors
    /// `TransferNotFound`, `TransferCompleted`.
    pub async fn reject_certificate_transfer(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        reason: Option<String>,
        now: Now,
    ) -> Result<(), RegistryError> {
        let rejection = &Rejection { at: now.wall, reason };
        let generation_id = &self.generation_id();
        self.change(|read| async move {
            let Pending { leaf, giver, given, offered, .. } = Pending::incoming(&read, tenant, certificate_id).await?;
            let mut transaction = Transaction::new();
            let mut record = given.value;
            if let Some(transfer) = &mut record.transfer {
                transfer.rejected = Some(rejection.clone());
            }
            record.update(CertificateStatus::Inactive, generation_id.clone(), now.wall);
            CERTIFICATES.replace(&mut transaction, &(giver, certificate_id), given.revision, &record);
            CERTIFICATES_OUTGOING.delete(&mut transaction, &(giver, record.created, certificate_id));
            remove_rows(&mut transaction, tenant, &leaf, &offered);
            Ok((transaction, ()))
        })
        .await
    }
}
