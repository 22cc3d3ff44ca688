use crate::{
    ApiError,
    call::Call,
    generated::iot::delete_ca_certificate::{Input, Output},
};

/// `DELETE /cacertificate/{caCertificateId}`. AWS: API_DeleteCACertificate.
pub(crate) async fn delete_ca_certificate(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    call.registry().delete_ca_certificate(call.tenant(), input.certificate_id).await?;
    Ok(Output {})
}
