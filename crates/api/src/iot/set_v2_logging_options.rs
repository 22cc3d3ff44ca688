use tidegate_logs::EventConfiguration;

use crate::{
    ApiError,
    call::Call,
    generated::iot::{set_v2_logging_options::Input, shapes::LogEventConfiguration},
    logs::V2_GROUP,
};

/// `POST /v2LoggingOptions`: what goes into the log group `AWSIotLogsV2`. AWS: API_SetV2LoggingOptions.
pub(crate) async fn set_v2_logging_options(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let events = input.event_configurations.map(|events| events.into_iter().map(event).collect()).transpose()?;
    let book = &call.api.book;
    let done = book
        .set_v2_logging_options(call.tenant(), input.role_arn, input.default_log_level, input.disable_all_logs, events)
        .await;
    Ok(done?)
}

fn event(event: LogEventConfiguration) -> Result<EventConfiguration, ApiError> {
    let LogEventConfiguration { event_type, log_destination, log_level } = event;
    if log_destination.as_deref().is_some_and(|group| group != V2_GROUP) {
        return Err(ApiError::invalid_request(format!("Tidegate logs to {V2_GROUP} only: leave logDestination out")));
    }
    let event_type = event_type.ok_or_else(|| ApiError::invalid_request("An event configuration has an eventType"))?;
    Ok(EventConfiguration { event_type, level: log_level, destination: log_destination })
}
