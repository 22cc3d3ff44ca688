use crate::{
    ApiError,
    call::Call,
    generated::iot::delete_registration_code::{Input, Output},
};

/// `DELETE /registrationcode`: the next one asked for is another. AWS: API_DeleteRegistrationCode.
pub(crate) async fn delete_registration_code(call: &Call<'_>, Input {}: Input) -> Result<Output, ApiError> {
    call.registry().delete_registration_code(call.tenant()).await?;
    Ok(Output {})
}
