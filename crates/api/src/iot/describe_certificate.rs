use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        describe_certificate::{Input, Output},
        shapes::{CertificateDescription, CertificateValidity},
    },
};

/// `GET /certificates/{certificateId}`. AWS: API_DescribeCertificate.
pub(crate) async fn describe_certificate(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let certificate = call.registry().describe_certificate(call.tenant(), input.certificate_id).await?;
    let (arn, record) = (certificate.arn(), certificate.record);
    let description = CertificateDescription {
        certificate_arn: Some(arn.to_string()),
        certificate_id: Some(certificate.certificate_id.to_string()),
        ca_certificate_id: record.ca_certificate_id.map(|id| id.to_string()),
        status: Some(record.status),
        certificate_pem: Some(record.pem),
        owned_by: Some(certificate.tenant.account.to_string()),
        previous_owned_by: record.previous_owned_by.map(|account| account.to_string()),
        creation_date: Some(record.created.into()),
        last_modified_date: Some(record.modified.into()),
        customer_version: Some(i32::try_from(record.customer_version).unwrap_or(i32::MAX)),
        transfer_data: None,
        generation_id: Some(record.generation_id.to_string()),
        validity: Some(CertificateValidity {
            not_before: Some(record.validity.not_before.into()),
            not_after: Some(record.validity.not_after.into()),
        }),
        certificate_mode: Some(record.mode),
    };
    Ok(Output { certificate_description: Some(description) })
}
