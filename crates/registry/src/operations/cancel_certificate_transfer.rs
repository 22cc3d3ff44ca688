//! AWS: API_CancelCertificateTransfer.

use tidegate_ids::{CertificateId, Now, Tenant};
use tidegate_kv::{Snapshot, Transaction};

use super::{delete_certificate::remove_rows, transfer_certificate::Pending, transfer_notices::put_notice};
use crate::{
    CertificateStatus, Registry, RegistryError, TransferStep,
    tables::{CERTIFICATE_OWNERS, CERTIFICATES, CERTIFICATES_OUTGOING},
};

impl Registry {
    /// Takes back an offer that nobody has accepted: the certificate is INACTIVE here again, and not seen there.
    ///
    /// # Errors
    /// `TransferNotFound`; `TransferCompleted` while the receiver that accepted it has it.
    pub async fn cancel_certificate_transfer(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        now: Now,
    ) -> Result<(), RegistryError> {
        let generation_id = &self.generation_id();
        self.change(|read| async move {
            let Some(pending) = Pending::outgoing(&read, tenant, certificate_id).await? else {
                return Err(nothing_to_cancel(&read, tenant, certificate_id).await?);
            };
            let Pending { leaf, given, receiver, offered, .. } = pending;
            let mut transaction = Transaction::new();
            let mut record = given.value;
            let transfer = record.transfer.take();
            record.update(CertificateStatus::Inactive, generation_id.clone(), now.wall);
            CERTIFICATES.replace(&mut transaction, &(tenant, certificate_id), given.revision, &record);
            CERTIFICATES_OUTGOING.delete(&mut transaction, &(tenant, record.created, certificate_id));
            remove_rows(&mut transaction, receiver, &leaf, &offered);
            let notice =
                transfer.and_then(|transfer| self.transfer_notice(receiver, TransferStep::Cancelled, &transfer, now));
            put_notice(&mut transaction, receiver, certificate_id, notice.as_ref());
            Ok((transaction, ()))
        })
        .await
    }
}

/// Whether it was too late or never begun. Costs as much as there are accounts with the certificate: nearly always one.
async fn nothing_to_cancel(read: &Snapshot, giver: Tenant, id: CertificateId) -> Result<RegistryError, RegistryError> {
    if CERTIFICATES.get(read, &(giver, id)).await?.is_some() {
        return Ok(RegistryError::TransferNotFound(id));
    }
    let mut accounts = Vec::new();
    let owners = CERTIFICATE_OWNERS.under(&(id, giver.region));
    CERTIFICATE_OWNERS.each(read, owners, |row| accounts.push(row.key.2)).await?;
    for account in accounts {
        let row = CERTIFICATES.get(read, &(Tenant { account, ..giver }, id)).await?;
        if row.is_some_and(|row| row.value.previous_owned_by == Some(giver.account)) {
            return Ok(RegistryError::TransferCompleted(id));
        }
    }
    Ok(RegistryError::TransferNotFound(id))
}
