//! AWS: API_UpdateCertificate.

use tidegate_ids::{CertificateId, Now, Tenant};
use tidegate_kv::Transaction;

use super::describe_certificate::read_certificate;
use crate::{CertificateStatus, Registry, RegistryError, tables::CERTIFICATES};

impl Registry {
    /// Gives a certificate another status; the one it has already changes nothing.
    ///
    /// # Errors
    /// `CertificateNotFound`; `StatusChange`, see [`CertificateStatus::update`].
    pub async fn update_certificate(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        new_status: CertificateStatus,
        now: Now,
    ) -> Result<(), RegistryError> {
        let generation_id = &self.generation_id();
        self.change(|read| async move {
            let row = read_certificate(&read, tenant, certificate_id).await?;
            let mut certificate = row.value;
            let refused = |why| RegistryError::StatusChange(certificate_id, why);
            let status = certificate.status.update(new_status).map_err(refused)?;
            let mut transaction = Transaction::new();
            if status != certificate.status {
                certificate.update(status, generation_id.clone(), now.wall);
                CERTIFICATES.replace(&mut transaction, &(tenant, certificate_id), row.revision, &certificate);
            }
            Ok((transaction, ()))
        })
        .await
    }
}
