use crate::{
    ApiError,
    call::Call,
    generated::iot::get_registration_code::{Input, Output},
};

/// `GET /registrationcode`: the code of the caller's account and region, made when there is none. AWS: API_GetRegistrationCode.
pub(crate) async fn get_registration_code(call: &Call<'_>, Input {}: Input) -> Result<Output, ApiError> {
    let code = call.registry().get_registration_code(call.tenant(), call.now).await?;
    Ok(Output { registration_code: Some(code.to_string()) })
}
