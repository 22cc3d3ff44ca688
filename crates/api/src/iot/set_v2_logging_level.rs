use tidegate_logs::Target;

use crate::{
    ApiError,
    call::Call,
    generated::iot::{set_v2_logging_level::Input, shapes::LogTarget},
};

/// `POST /v2LoggingLevel`. AWS: API_SetV2LoggingLevel.
pub(crate) async fn set_v2_logging_level(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let LogTarget { target_name, target_type } = input.log_target;
    let kind = target_type.ok_or_else(|| ApiError::invalid_request("A logTarget has a targetType"))?;
    let target = Target { kind, name: target_name, level: input.log_level };
    Ok(call.api.book.set_v2_logging_level(call.tenant(), target).await?)
}
