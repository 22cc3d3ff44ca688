//! AWS: API_ListCertificates.

use tidegate_ids::{CertificateId, Tenant, Timestamp};
use tidegate_kv::Snapshot;

use crate::{
    CertificateMode, CertificateStatus, Page, PageRequest, Registry, RegistryError,
    page::Listing,
    tables::{CERTIFICATES, CERTIFICATES_BY_CREATION},
};

/// A line of ListCertificates and ListCertificatesByCA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateSummary {
    /// SHA-256 of its DER.
    pub certificate_id: CertificateId,
    /// Its status.
    pub status: CertificateStatus,
    /// How its account is found.
    pub mode: CertificateMode,
    /// When it was registered.
    pub created: Timestamp,
}

impl Registry {
    /// The account's device certificates in the order of their registration (newest first unless ascending).
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_certificates(
        &self,
        tenant: Tenant,
        page: PageRequest,
    ) -> Result<Page<CertificateSummary>, RegistryError> {
        let read = self.read().await?;
        let listing = Listing::new(&CERTIFICATES_BY_CREATION, &tenant, "ListCertificates");
        let (rows, next_marker) = listing.page(&read, &page).await?;
        let ids = rows.into_iter().map(|(_, _, id)| id);
        Ok(Page { items: summaries(&read, tenant, ids).await?, next_marker })
    }
}

/// The lines of these certificates.
pub(super) async fn summaries(
    read: &Snapshot,
    tenant: Tenant,
    ids: impl ExactSizeIterator<Item = CertificateId>,
) -> Result<Vec<CertificateSummary>, RegistryError> {
    let mut items = Vec::with_capacity(ids.len());
    for certificate_id in ids {
        if let Some(row) = CERTIFICATES.get(read, &(tenant, certificate_id)).await? {
            let record = row.value;
            items.push(CertificateSummary {
                certificate_id,
                status: record.status,
                mode: record.mode,
                created: record.created,
            });
        }
    }
    Ok(items)
}
