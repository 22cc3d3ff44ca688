use crate::{ApiError, call::Call, generated::iot::accept_certificate_transfer::Input};

/// `PATCH /accept-certificate-transfer/{certificateId}?setAsActive`. AWS: API_AcceptCertificateTransfer.
pub(crate) async fn accept_certificate_transfer(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let Input { certificate_id, set_as_active } = input;
    call.registry()
        .accept_certificate_transfer(call.tenant(), certificate_id, set_as_active.unwrap_or(false), call.now)
        .await?;
    Ok(())
}
