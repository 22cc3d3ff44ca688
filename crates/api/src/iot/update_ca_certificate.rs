use tidegate_registry::UpdateCaCertificate;

use super::convert::registration_config;
use crate::{ApiError, call::Call, generated::iot::update_ca_certificate::Input};

/// `PUT /cacertificate/{caCertificateId}?newStatus&newAutoRegistrationStatus`. AWS: API_UpdateCACertificate.
pub(crate) async fn update_ca_certificate(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let request = UpdateCaCertificate {
        new_status: input.new_status,
        new_auto_registration: input.new_auto_registration_status,
        registration_config: input.registration_config.map(registration_config),
        remove_registration_config: input.remove_auto_registration.unwrap_or(false),
    };
    call.registry().update_ca_certificate(call.tenant(), input.certificate_id, request, call.now).await?;
    Ok(())
}
