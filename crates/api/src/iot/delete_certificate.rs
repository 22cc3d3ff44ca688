use crate::{ApiError, call::Call, generated::iot::delete_certificate::Input};

/// `DELETE /certificates/{certificateId}?forceDelete`. AWS: API_DeleteCertificate.
pub(crate) async fn delete_certificate(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let force = input.force_delete.unwrap_or(false);
    call.registry().delete_certificate(call.tenant(), input.certificate_id, force).await?;
    Ok(())
}
