//! AWS: API_ListOutgoingCertificates.

use tidegate_ids::{CertificateId, Tenant, Timestamp};

use crate::{
    Page, PageRequest, Registry, RegistryError, Transfer,
    page::Listing,
    tables::{CERTIFICATES, CERTIFICATES_OUTGOING},
};

/// A certificate that was offered to another account and not accepted yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingCertificate {
    /// SHA-256 of its DER.
    pub certificate_id: CertificateId,
    /// To whom, when, and what was said.
    pub transfer: Transfer,
    /// When the certificate was registered.
    pub created: Timestamp,
}

impl Registry {
    /// The account's certificates whose transfer is pending, in the order of their registration (newest first unless
    /// ascending).
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_outgoing_certificates(
        &self,
        tenant: Tenant,
        page: PageRequest,
    ) -> Result<Page<OutgoingCertificate>, RegistryError> {
        let read = self.read().await?;
        let listing = Listing::new(&CERTIFICATES_OUTGOING, &tenant, "ListOutgoingCertificates");
        let (rows, next_marker) = listing.page(&read, &page).await?;
        let mut items = Vec::with_capacity(rows.len());
        for (_, created, certificate_id) in rows {
            let row = CERTIFICATES.get(&read, &(tenant, certificate_id)).await?;
            if let Some(transfer) = row.and_then(|row| row.value.transfer) {
                items.push(OutgoingCertificate { certificate_id, transfer: *transfer, created });
            }
        }
        Ok(Page { items, next_marker })
    }
}
