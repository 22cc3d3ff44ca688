//! AWS: API_ListPrincipalThings, API_ListPrincipalThingsV2.

use tidegate_ids::{Tenant, ThingName};

use super::describe_certificate::read_certificate;
use crate::{
    Page, PageRequest, Registry, RegistryError, ThingPrincipal, ThingPrincipalType, page::Listing,
    tables::THINGS_OF_PRINCIPAL,
};

impl Registry {
    /// The things of a principal and how it is attached to them, by name; with `kind`, those where it is so.
    ///
    /// An exclusive thing is the only one, so a page of one kind is never empty while another follows.
    ///
    /// # Errors
    /// `CertificateNotFound`, `InvalidRequest`, `InvalidMarker`.
    pub async fn list_principal_things(
        &self,
        tenant: Tenant,
        principal: ThingPrincipal,
        kind: Option<ThingPrincipalType>,
        page: PageRequest,
    ) -> Result<Page<(ThingName, ThingPrincipalType)>, RegistryError> {
        let read = self.read().await?;
        match principal {
            ThingPrincipal::Certificate(id) => read_certificate(&read, tenant, id).await?,
        };
        let listing = Listing::new(&THINGS_OF_PRINCIPAL, &(tenant, principal), "ListPrincipalThings");
        let (rows, next_marker) = listing.rows(&read, &page).await?;
        let items = rows.into_iter().map(|row| (row.key.2, row.value.kind));
        Ok(Page { items: items.filter(|(_, is)| kind.is_none_or(|kind| *is == kind)).collect(), next_marker })
    }
}
