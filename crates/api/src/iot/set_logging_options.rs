use tidegate_logs::{LogLevel, V1Options};

use crate::{ApiError, call::Call, generated::iot::set_logging_options::Input};

/// `POST /loggingOptions`: what goes into the log group `AWSIotLogs`. AWS: API_SetLoggingOptions. Unverified: without a level
/// nothing is logged.
pub(crate) async fn set_logging_options(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let options = V1Options { role_arn: input.role_arn, level: input.log_level.unwrap_or(LogLevel::Disabled) };
    Ok(call.api.book.set_logging_options(call.tenant(), options).await?)
}
