use crate::{ApiError, call::Call, generated::iot::cancel_certificate_transfer::Input};

/// `PATCH /cancel-certificate-transfer/{certificateId}`. AWS: API_CancelCertificateTransfer.
pub(crate) async fn cancel_certificate_transfer(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let Input { certificate_id } = input;
    call.registry().cancel_certificate_transfer(call.tenant(), certificate_id, call.now).await?;
    Ok(())
}
