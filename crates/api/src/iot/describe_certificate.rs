use tidegate_registry::Transfer;

use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        describe_certificate::{Input, Output},
        shapes::{CertificateDescription, CertificateValidity, TransferData},
    },
};

/// `GET /certificates/{certificateId}`. AWS: API_DescribeCertificate.
///
/// Unverified: what the receiver of a pending transfer reads; ours is the ARN that TransferCertificate answered, and the giver
/// in `ownedBy`.
pub(crate) async fn describe_certificate(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let certificate = call.registry().describe_certificate(call.tenant(), input.certificate_id).await?;
    let (arn, record) = (certificate.arn(), certificate.record);
    let owned_by = record.owned_by(certificate.tenant.account);
    let description = CertificateDescription {
        certificate_arn: Some(arn.to_string()),
        certificate_id: Some(certificate.certificate_id.to_string()),
        ca_certificate_id: record.ca_certificate_id.map(|id| id.to_string()),
        status: Some(record.status),
        certificate_pem: Some(record.pem),
        owned_by: Some(owned_by.to_string()),
        previous_owned_by: record.previous_owned_by.map(|account| account.to_string()),
        creation_date: Some(record.created.into()),
        last_modified_date: Some(record.modified.into()),
        customer_version: Some(i32::try_from(record.customer_version).unwrap_or(i32::MAX)),
        transfer_data: record.transfer.map(|transfer| transfer_data(*transfer)),
        generation_id: Some(record.generation_id.to_string()),
        validity: Some(CertificateValidity {
            not_before: Some(record.validity.not_before.into()),
            not_after: Some(record.validity.not_after.into()),
        }),
        certificate_mode: Some(record.mode),
    };
    Ok(Output { certificate_description: Some(description) })
}

fn transfer_data(transfer: Transfer) -> TransferData {
    let (reject_date, reject_reason) = transfer.rejected.map(|rejected| (rejected.at, rejected.reason)).unzip();
    TransferData {
        transfer_date: Some(transfer.transferred.into()),
        transfer_message: transfer.message,
        accept_date: transfer.accepted.map(Into::into),
        reject_date: reject_date.map(Into::into),
        reject_reason: reject_reason.flatten(),
    }
}
