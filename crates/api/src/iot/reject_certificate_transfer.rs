use crate::{ApiError, call::Call, generated::iot::reject_certificate_transfer::Input};

/// `PATCH /reject-certificate-transfer/{certificateId}`. AWS: API_RejectCertificateTransfer.
pub(crate) async fn reject_certificate_transfer(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let Input { certificate_id, reject_reason } = input;
    call.registry().reject_certificate_transfer(call.tenant(), certificate_id, reject_reason, call.now).await?;
    Ok(())
}
