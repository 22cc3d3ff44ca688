use super::group;
use crate::{
    ApiError,
    call::Call,
    generated::logs::{
        describe_log_streams::{Input, Output},
        shapes::{LogStream, OrderBy},
    },
};

/// Streams of a page when the caller names no number.
const PAGE: usize = 50;

/// `DescribeLogStreams`: the days on which something was logged. AWS: CloudWatch Logs, API_DescribeLogStreams.
pub(crate) async fn describe_log_streams(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let tenant = call.tenant();
    let (name, scope) = group::find(tenant, input.log_group_name, input.log_group_identifier)?;
    let prefix = input.log_stream_name_prefix.unwrap_or_default();
    if input.order_by == Some(OrderBy::Lasteventtime) && !prefix.is_empty() {
        return Err(group::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let arn = group::arn(tenant, &name);
    let days = call.api.book.days(&scope).await?;
    let mut streams: Vec<LogStream> = days
        .into_iter()
        .map(|(_, first, last, written)| LogStream {
            arn: Some(format!("{arn}:log-stream:{}", group::stream(first))),
            creation_time: Some(group::millis(first)),
            first_event_timestamp: Some(group::millis(first)),
            last_event_timestamp: Some(group::millis(last)),
            last_ingestion_time: Some(group::millis(written)),
            log_stream_name: Some(group::stream(first)),
            stored_bytes: Some(0),
            upload_sequence_token: None,
        })
        .filter(|stream| stream.log_stream_name.as_ref().is_some_and(|name| name.starts_with(&prefix)))
        .collect();
    // By name and by time is the same order.
    if input.descending.unwrap_or(false) {
        streams.reverse();
    }
    let start = match &input.next_token {
        None => 0,
        Some(after) => {
            let found = streams.iter().position(|stream| stream.log_stream_name.as_ref() == Some(after));
            found.ok_or_else(|| group::invalid("The specified nextToken is invalid."))? + 1
        }
    };
    let max = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE);
    let page: Vec<LogStream> = streams.iter().skip(start).take(max).cloned().collect();
    let more = start + page.len() < streams.len();
    let next_token = page.last().filter(|_| more).and_then(|stream| stream.log_stream_name.clone());
    Ok(Output { log_streams: Some(page), next_token })
}
