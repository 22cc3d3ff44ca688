//! AWS: API_ListCertificatesByCA.

use tidegate_ids::{CaCertificateId, Tenant};

use super::list_certificates::summaries;
use crate::{
    CertificateSummary, Page, PageRequest, Registry, RegistryError, page::Listing, tables::CERTIFICATES_BY_CA,
};

impl Registry {
    /// The account's device certificates that this CA registered, in the order of their registration (newest first
    /// unless ascending). None, when the CA is unknown: AWS declares no error for that.
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_certificates_by_ca(
        &self,
        tenant: Tenant,
        ca_certificate_id: CaCertificateId,
        page: PageRequest,
    ) -> Result<Page<CertificateSummary>, RegistryError> {
        let read = self.read().await?;
        let listing = Listing::new(&CERTIFICATES_BY_CA, &(tenant, ca_certificate_id), "ListCertificatesByCA");
        let (rows, next_marker) = listing.page(&read, &page).await?;
        let ids = rows.into_iter().map(|(_, _, _, id)| id);
        Ok(Page { items: summaries(&read, tenant, ids).await?, next_marker })
    }
}
