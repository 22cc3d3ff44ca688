use tidegate_ids::Timestamp;
use tidegate_logs::{Event, FilterPattern, Position};

use super::group;
use crate::{
    ApiError,
    call::Call,
    generated::logs::{
        filter_log_events::{Input, Output},
        shapes::FilteredLogEvent,
    },
};

/// Events of a page when the caller names no number. AWS: "10 000 events, or 1 MB".
const PAGE: usize = 10_000;

/// `FilterLogEvents`: events of a time and of some streams that a pattern wants, the oldest first. A page may be empty and not the
/// last. AWS: CloudWatch Logs, API_FilterLogEvents.
pub(crate) async fn filter_log_events(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (_, scope) = group::find(call.tenant(), input.log_group_name, input.log_group_identifier)?;
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(group::invalid("Name either logStreamNames or logStreamNamePrefix"));
    }
    if input.start_from_head == Some(false) {
        return Err(group::invalid("startFromHead = false is not served: events come the oldest first"));
    }
    let pattern = FilterPattern::parse(input.filter_pattern.as_deref().unwrap_or_default())
        .map_err(|error| group::invalid(&error.to_string()))?;
    let start = group::moment(input.start_time.unwrap_or(0));
    // Events of the last moment are wanted too.
    let end = input.end_time.map_or(Timestamp::from_millis(u64::MAX), |end| group::moment(end.saturating_add(1)));
    let position =
        |token: &str| Position::parse(token).ok_or_else(|| group::invalid("The specified nextToken is invalid."));
    let beyond = input.next_token.as_deref().map(position).transpose()?;
    let max = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE);
    let wanted = |message: &str| pattern.matches(message);
    let found = call.api.book.read(&scope, (start, end), beyond, false, max, wanted).await?;
    let of_stream = |event: &Event| {
        let name = group::stream(event.at);
        input.log_stream_names.as_ref().is_none_or(|names| names.contains(&name))
            && input.log_stream_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
    };
    let row = |event: Event| FilteredLogEvent {
        event_id: Some(event.position.id()),
        ingestion_time: Some(group::millis(event.ingested)),
        log_stream_name: Some(group::stream(event.at)),
        timestamp: Some(group::millis(event.at)),
        message: Some(event.message),
    };
    Ok(Output {
        events: Some(found.events.into_iter().filter(of_stream).map(row).collect()),
        next_token: found.more.map(Position::id),
        searched_log_streams: Some(Vec::new()),
    })
}
