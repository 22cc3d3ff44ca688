//! AWS: API_DeleteCACertificate.

use tidegate_ids::{CaCertificateId, Tenant};
use tidegate_kv::Transaction;

use super::{describe_ca_certificate::read_ca_certificate, register_ca_certificate::subject_key};
use crate::{
    CaStatus, Registry, RegistryError,
    tables::{CA_CERTIFICATES, CA_OWNERS, CAS_BY_CREATION, CAS_BY_SUBJECT},
};

impl Registry {
    /// Deletes a CA certificate that is INACTIVE. Certificates that it registered stay, and go on connecting.
    ///
    /// Unverified: that AWS allows it while such certificates exist; its model has no error for them.
    ///
    /// # Errors
    /// `CaCertificateNotFound`, `CaCertificateActive`.
    pub async fn delete_ca_certificate(
        &self,
        tenant: Tenant,
        ca_certificate_id: CaCertificateId,
    ) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = read_ca_certificate(&read, tenant, ca_certificate_id).await?;
            if row.value.status == CaStatus::Active {
                return Err(RegistryError::CaCertificateActive(ca_certificate_id));
            }
            let subject = subject_key(&row.value)?;
            let mut transaction = Transaction::new();
            CA_CERTIFICATES.remove(&mut transaction, &(tenant, ca_certificate_id), row.revision);
            CAS_BY_CREATION.delete(&mut transaction, &(tenant, row.value.created, ca_certificate_id));
            CAS_BY_SUBJECT.delete(&mut transaction, &(tenant, subject, ca_certificate_id));
            CA_OWNERS.delete(&mut transaction, &(ca_certificate_id, tenant.region, tenant.account));
            Ok((transaction, ()))
        })
        .await
    }
}
