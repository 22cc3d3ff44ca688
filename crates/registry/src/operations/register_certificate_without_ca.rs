//! AWS: API_RegisterCertificateWithoutCA.

use tidegate_ids::{CertificateId, Now, Tenant};
use tidegate_kv::Transaction;

use super::register_certificate::{insert_certificate, new_record, read_leaf};
use crate::{CertificateMode, CertificateStatus, Registry, RegistryError};

impl Registry {
    /// Registers any device certificate, self-signed ones too, in SNI_ONLY mode: its client names the account's endpoint.
    ///
    /// # Errors
    /// `CertificateInvalid`, `StatusNotRegistrable`, `CertificateExists`.
    pub async fn register_certificate_without_ca(
        &self,
        tenant: Tenant,
        certificate_pem: &str,
        status: Option<CertificateStatus>,
        now: Now,
    ) -> Result<CertificateId, RegistryError> {
        let leaf = &read_leaf(certificate_pem)?;
        let status = CertificateStatus::at_registration(status, false).map_err(RegistryError::StatusNotRegistrable)?;
        let record = &new_record(leaf, status, CertificateMode::SniOnly, None, self.generation_id(), now);
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            insert_certificate(&read, &mut transaction, tenant, leaf, record).await?;
            Ok((transaction, ()))
        })
        .await?;
        Ok(leaf.certificate_id())
    }
}
