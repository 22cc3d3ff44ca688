use super::convert::registration_config_out;
use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        describe_ca_certificate::{Input, Output},
        shapes::{CaCertificateDescription, CertificateValidity},
    },
};

/// `GET /cacertificate/{caCertificateId}`. AWS: API_DescribeCACertificate.
pub(crate) async fn describe_ca_certificate(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let ca = call.registry().describe_ca_certificate(call.tenant(), input.certificate_id).await?;
    let (arn, record) = (ca.arn(), ca.record);
    let description = CaCertificateDescription {
        certificate_arn: Some(arn.to_string()),
        certificate_id: Some(ca.ca_certificate_id.to_string()),
        status: Some(record.status),
        certificate_pem: Some(record.pem),
        owned_by: Some(ca.tenant.account.to_string()),
        creation_date: Some(record.created.into()),
        auto_registration_status: Some(record.auto_registration),
        last_modified_date: Some(record.modified.into()),
        customer_version: Some(i32::try_from(record.customer_version).unwrap_or(i32::MAX)),
        generation_id: Some(record.generation_id.to_string()),
        validity: Some(CertificateValidity {
            not_before: Some(record.validity.not_before.into()),
            not_after: Some(record.validity.not_after.into()),
        }),
        certificate_mode: Some(record.mode),
    };
    Ok(Output {
        certificate_description: Some(description),
        registration_config: record.registration_config.map(registration_config_out),
    })
}
