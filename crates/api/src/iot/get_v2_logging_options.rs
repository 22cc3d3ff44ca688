use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        get_v2_logging_options::{Input, Output},
        shapes::LogEventConfiguration,
    },
};

/// `GET /v2LoggingOptions?verbose`. AWS: API_GetV2LoggingOptions; the event configurations with `verbose` only.
pub(crate) async fn get_v2_logging_options(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let options = call.api.book.v2_logging_options(call.tenant()).await?;
    let events = options.events.into_iter().map(|event| LogEventConfiguration {
        event_type: Some(event.event_type),
        log_destination: event.destination,
        log_level: event.level,
    });
    Ok(Output {
        default_log_level: Some(options.default_level),
        disable_all_logs: Some(options.disabled),
        event_configurations: input.verbose.unwrap_or(false).then(|| events.collect()),
        role_arn: options.role_arn,
    })
}
