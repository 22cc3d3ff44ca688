use tidegate_ids::Arn;

use crate::{
    ApiError,
    call::Call,
    generated::iot::register_certificate_without_ca::{Input, Output},
};

/// `POST /certificate/register-no-ca`. AWS: API_RegisterCertificateWithoutCA.
pub(crate) async fn register_certificate_without_ca(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let (pem, status) = (&input.certificate_pem, input.status);
    let id = call.registry().register_certificate_without_ca(tenant, pem, status, call.now).await?;
    Ok(Output { certificate_arn: Some(Arn::certificate(tenant, id).to_string()), certificate_id: Some(id.to_string()) })
}
