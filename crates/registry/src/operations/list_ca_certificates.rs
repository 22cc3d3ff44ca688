//! AWS: API_ListCACertificates.

use tidegate_ids::{CaCertificateId, Tenant, Timestamp};

use crate::{
    CaCertificateRecord, CaStatus, Page, PageRequest, Registry, RegistryError,
    page::Listing,
    tables::{CA_CERTIFICATES, CAS_BY_CREATION},
};

/// A line of ListCACertificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaCertificateSummary {
    /// SHA-256 of its DER.
    pub ca_certificate_id: CaCertificateId,
    /// Whether it registers anything.
    pub status: CaStatus,
    /// When it was registered.
    pub created: Timestamp,
}

impl Registry {
    /// The account's CA certificates in the order of their registration (newest first unless ascending). With
    /// `template_name`, those of the page that have this provisioning template: such a page may be short, or empty, and
    /// have a successor.
    ///
    /// # Errors
    /// `InvalidRequest`, `InvalidMarker`.
    pub async fn list_ca_certificates(
        &self,
        tenant: Tenant,
        template_name: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<CaCertificateSummary>, RegistryError> {
        let read = self.read().await?;
        let listing = Listing::new(&CAS_BY_CREATION, &tenant, "ListCACertificates");
        let (rows, next_marker) = listing.page(&read, &page).await?;
        let mut items = Vec::with_capacity(rows.len());
        for (_, _, ca_certificate_id) in rows {
            let Some(row) = CA_CERTIFICATES.get(&read, &(tenant, ca_certificate_id)).await? else { continue };
            if template_name.is_none_or(|name| has_template(&row.value, name)) {
                let CaCertificateRecord { status, created, .. } = row.value;
                items.push(CaCertificateSummary { ca_certificate_id, status, created });
            }
        }
        Ok(Page { items, next_marker })
    }
}

fn has_template(record: &CaCertificateRecord, name: &str) -> bool {
    record.registration_config.as_ref().and_then(|config| config.template_name.as_deref()) == Some(name)
}
