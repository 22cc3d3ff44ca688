use tidegate_ids::Arn;

use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::{
        list_outgoing_certificates::{Input, Output},
        shapes::OutgoingCertificate,
    },
};

/// `GET /certificates-out-going?pageSize&marker&isAscendingOrder`. AWS: API_ListOutgoingCertificates.
///
/// Unverified: which account the ARN names; ours is the owner's, as in ListCertificates.
pub(crate) async fn list_outgoing_certificates(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let page = page(input.page_size, input.marker, input.ascending_order);
    let found = call.registry().list_outgoing_certificates(tenant, page).await?;
    let certificates = found.items.into_iter().map(|certificate| OutgoingCertificate {
        certificate_arn: Some(Arn::certificate(tenant, certificate.certificate_id).to_string()),
        certificate_id: Some(certificate.certificate_id.to_string()),
        transferred_to: Some(certificate.transfer.to.to_string()),
        transfer_date: Some(certificate.transfer.transferred.into()),
        transfer_message: certificate.transfer.message,
        creation_date: Some(certificate.created.into()),
    });
    Ok(Output { outgoing_certificates: Some(certificates.collect()), next_marker: found.next_marker })
}
