use crate::{ApiError, call::Call, generated::iot::update_certificate::Input};

/// `PUT /certificates/{certificateId}?newStatus`. AWS: API_UpdateCertificate.
pub(crate) async fn update_certificate(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let Input { certificate_id, new_status } = input;
    call.registry().update_certificate(call.tenant(), certificate_id, new_status, call.now).await?;
    Ok(())
}
