//! AWS: API_CreateCertificateFromCsr.

use tidegate_ids::{Now, Tenant};
use tidegate_pki::Csr;

use crate::{CreatedCertificate, Registry, RegistryError};

impl Registry {
    /// Issues a device certificate for the key and subject of a signing request, by the broker's own CA.
    ///
    /// # Errors
    /// `CsrInvalid`.
    pub async fn create_certificate_from_csr(
        &self,
        tenant: Tenant,
        csr_pem: &str,
        set_as_active: bool,
        now: Now,
    ) -> Result<CreatedCertificate, RegistryError> {
        let csr = Csr::from_pem(csr_pem).map_err(|error| RegistryError::CsrInvalid(error.to_string()))?;
        let issued = self.issuers().device.device_certificate_from_csr(&csr, now.wall);
        let leaf = issued.map_err(|error| RegistryError::Internal(error.into()))?;
        self.insert_issued(tenant, leaf, set_as_active, now).await
    }
}
