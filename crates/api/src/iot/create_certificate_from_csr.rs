use crate::{
    ApiError,
    call::Call,
    generated::iot::create_certificate_from_csr::{Input, Output},
};

/// `POST /certificates?setAsActive`. AWS: API_CreateCertificateFromCsr.
pub(crate) async fn create_certificate_from_csr(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let active = input.set_as_active.unwrap_or(false);
    let csr = &input.certificate_signing_request;
    let created = call.registry().create_certificate_from_csr(call.tenant(), csr, active, call.now).await?;
    Ok(Output {
        certificate_arn: Some(created.arn.to_string()),
        certificate_id: Some(created.certificate_id.to_string()),
        certificate_pem: Some(created.pem),
    })
}
