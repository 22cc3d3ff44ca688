use tidegate_logs::LogLevel;

use crate::{
    ApiError,
    call::Call,
    generated::iot::get_logging_options::{Input, Output},
};

/// `GET /loggingOptions`. AWS: API_GetLoggingOptions. Unverified: what it answers before they were set; we say DISABLED.
pub(crate) async fn get_logging_options(call: &Call<'_>, Input {}: Input) -> Result<Output, ApiError> {
    Ok(match call.api.book.logging_options(call.tenant()).await? {
        Some(options) => Output { log_level: Some(options.level), role_arn: Some(options.role_arn) },
        None => Output { log_level: Some(LogLevel::Disabled), role_arn: None },
    })
}
