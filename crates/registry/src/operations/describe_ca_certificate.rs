//! AWS: API_DescribeCACertificate.

use tidegate_ids::{Arn, CaCertificateId, Tenant};
use tidegate_kv::{Snapshot, Versioned};

use crate::{CaCertificateRecord, Registry, RegistryError, tables::CA_CERTIFICATES};

/// A CA certificate that an account registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaCertificate {
    /// Whose. AWS: `ownedBy` is its account.
    pub tenant: Tenant,
    /// SHA-256 of its DER.
    pub ca_certificate_id: CaCertificateId,
    /// All else.
    pub record: CaCertificateRecord,
}

impl CaCertificate {
    /// Its ARN.
    pub fn arn(&self) -> Arn {
        Arn::ca_certificate(self.tenant, self.ca_certificate_id)
    }
}

impl Registry {
    /// One CA certificate.
    ///
    /// # Errors
    /// `CaCertificateNotFound`.
    pub async fn describe_ca_certificate(
        &self,
        tenant: Tenant,
        ca_certificate_id: CaCertificateId,
    ) -> Result<CaCertificate, RegistryError> {
        let record = read_ca_certificate(&self.read().await?, tenant, ca_certificate_id).await?.value;
        Ok(CaCertificate { tenant, ca_certificate_id, record })
    }
}

/// The CA certificate's row.
pub(super) async fn read_ca_certificate(
    read: &Snapshot,
    tenant: Tenant,
    id: CaCertificateId,
) -> Result<Versioned<CaCertificateRecord>, RegistryError> {
    CA_CERTIFICATES.get(read, &(tenant, id)).await?.ok_or(RegistryError::CaCertificateNotFound(id))
}
