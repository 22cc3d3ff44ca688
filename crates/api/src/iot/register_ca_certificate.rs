use tidegate_ids::Arn;
use tidegate_registry::RegisterCaCertificate;

use super::convert::{registration_config, tags};
use crate::{
    ApiError,
    call::Call,
    generated::iot::register_ca_certificate::{Input, Output},
};

/// `POST /cacertificate?setAsActive&allowAutoRegistration`. AWS: API_RegisterCACertificate.
pub(crate) async fn register_ca_certificate(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let request = RegisterCaCertificate {
        ca_certificate_pem: input.ca_certificate,
        verification_certificate_pem: input.verification_certificate,
        set_as_active: input.set_as_active.unwrap_or(false),
        allow_auto_registration: input.allow_auto_registration.unwrap_or(false),
        mode: input.certificate_mode,
        registration_config: input.registration_config.map(registration_config),
        tags: tags(input.tags),
    };
    let id = call.registry().register_ca_certificate(tenant, request, call.now).await?;
    Ok(Output {
        certificate_arn: Some(Arn::ca_certificate(tenant, id).to_string()),
        certificate_id: Some(id.to_string()),
    })
}
