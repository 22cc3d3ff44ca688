use tidegate_ids::Arn;

use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::{
        list_ca_certificates::{Input, Output},
        shapes::CaCertificate,
    },
};

/// `GET /cacertificates?pageSize&marker&isAscendingOrder&templateName`. AWS: API_ListCACertificates.
pub(crate) async fn list_ca_certificates(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let page = page(input.page_size, input.marker, input.ascending_order);
    let found = call.registry().list_ca_certificates(tenant, input.template_name.as_deref(), page).await?;
    let certificates = found.items.into_iter().map(|ca| CaCertificate {
        certificate_arn: Some(Arn::ca_certificate(tenant, ca.ca_certificate_id).to_string()),
        certificate_id: Some(ca.ca_certificate_id.to_string()),
        status: Some(ca.status),
        creation_date: Some(ca.created.into()),
    });
    Ok(Output { certificates: Some(certificates.collect()), next_marker: found.next_marker })
}
