use tidegate_ids::Arn;
use tidegate_registry::RegisterCertificate;

use crate::{
    ApiError,
    call::Call,
    generated::iot::register_certificate::{Input, Output},
};

/// `POST /certificate/register?setAsActive`. AWS: API_RegisterCertificate.
pub(crate) async fn register_certificate(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let request = RegisterCertificate {
        certificate_pem: input.certificate_pem,
        ca_certificate_pem: input.ca_certificate_pem,
        status: input.status,
        set_as_active: input.set_as_active.unwrap_or(false),
    };
    let id = call.registry().register_certificate(tenant, request, call.now).await?;
    Ok(Output { certificate_arn: Some(Arn::certificate(tenant, id).to_string()), certificate_id: Some(id.to_string()) })
}
