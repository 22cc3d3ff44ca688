use super::convert::certificates;
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_certificates::{Input, Output},
};

/// `GET /certificates?pageSize&marker&isAscendingOrder`. AWS: API_ListCertificates.
pub(crate) async fn list_certificates(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.page_size, input.marker, input.ascending_order);
    let found = call.registry().list_certificates(call.tenant(), page).await?;
    Ok(Output { certificates: Some(certificates(call.tenant(), found.items)), next_marker: found.next_marker })
}
