use super::convert::certificates;
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_certificates_by_ca::{Input, Output},
};

/// `GET /certificates-by-ca/{caCertificateId}?pageSize&marker&isAscendingOrder`. AWS: API_ListCertificatesByCA.
pub(crate) async fn list_certificates_by_ca(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.page_size, input.marker, input.ascending_order);
    let found = call.registry().list_certificates_by_ca(call.tenant(), input.ca_certificate_id, page).await?;
    Ok(Output { certificates: Some(certificates(call.tenant(), found.items)), next_marker: found.next_marker })
}
