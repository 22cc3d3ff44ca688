//! AWS: API_DescribeCertificate.

use tidegate_ids::{Arn, CertificateId, Tenant};
use tidegate_kv::{Snapshot, Versioned};

use crate::{DeviceCertificateRecord, Registry, RegistryError, tables::CERTIFICATES};

/// A device certificate that an account owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    /// Whose. AWS: `ownedBy` is its account.
    pub tenant: Tenant,
    /// SHA-256 of its DER.
    pub certificate_id: CertificateId,
    /// All else.
    pub record: DeviceCertificateRecord,
}

impl DeviceCertificate {
    /// Its ARN.
    pub fn arn(&self) -> Arn {
        Arn::certificate(self.tenant, self.certificate_id)
    }
}

impl Registry {
    /// One device certificate.
    ///
    /// # Errors
    /// `CertificateNotFound`.
    pub async fn describe_certificate(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
    ) -> Result<DeviceCertificate, RegistryError> {
        let record = read_certificate(&self.read().await?, tenant, certificate_id).await?.value;
        Ok(DeviceCertificate { tenant, certificate_id, record })
    }
}

/// The certificate's row.
pub(super) async fn read_certificate(
    read: &Snapshot,
    tenant: Tenant,
    id: CertificateId,
) -> Result<Versioned<DeviceCertificateRecord>, RegistryError> {
    CERTIFICATES.get(read, &(tenant, id)).await?.ok_or(RegistryError::CertificateNotFound(id))
}
