use tidegate_ids::Timestamp;
use tidegate_logs::{Event, Position};

use super::group;
use crate::{
    ApiError,
    call::Call,
    generated::logs::{
        get_log_events::{Input, Output},
        shapes::OutputLogEvent,
    },
};

/// Events of a page when the caller names no number.
const PAGE: usize = 10_000;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// `GetLogEvents`: the events of a stream, from its end unless `startFromHead`; tokens lead both ways, and to themselves at an end.
///
/// AWS: CloudWatch Logs, API_GetLogEvents.
pub(crate) async fn get_log_events(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (_, scope) = group::find(call.tenant(), input.log_group_name, input.log_group_identifier)?;
    let book = &call.api.book;
    let days = book.days(&scope).await?;
    let day = days.into_iter().find(|(_, first, ..)| group::stream(*first) == input.log_stream_name);
    let Some((day, ..)) = day else { return Err(group::not_found("The specified log stream does not exist.")) };
    let within = (Timestamp::from_millis(day * DAY_MS), Timestamp::from_millis((day + 1) * DAY_MS));
    let start = input.start_time.map_or(within.0, |start| group::moment(start).max(within.0));
    let end = input.end_time.map_or(within.1, |end| group::moment(end).min(within.1));
    let token = input.next_token.as_deref().map(Token::parse).transpose()?;
    let backwards = match token {
        Some(token) => token.backwards,
        None => !input.start_from_head.unwrap_or(false),
    };
    let max = input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(PAGE);
    let beyond = token.and_then(|token| token.position);
    let found = book.read(&scope, (start, end), beyond, backwards, max, |_| true).await?;
    let at_end = |backwards| Token { backwards, position: beyond }.text();
    let next = |backwards, event: Option<&Event>| match event {
        Some(event) => Token { backwards, position: Some(event.position) }.text(),
        None => at_end(backwards),
    };
    Ok(Output {
        next_backward_token: Some(next(true, found.events.first())),
        next_forward_token: Some(next(false, found.events.last())),
        events: Some(found.events.into_iter().map(row).collect()),
    })
}

fn row(event: Event) -> OutputLogEvent {
    OutputLogEvent {
        ingestion_time: Some(group::millis(event.ingested)),
        timestamp: Some(group::millis(event.at)),
        message: Some(event.message),
    }
}

/// Which way to go on, and behind which event; none: at that end of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Token {
    backwards: bool,
    position: Option<Position>,
}

impl Token {
    fn text(self) -> String {
        let way = if self.backwards { "b" } else { "f" };
        format!("{way}/{}", self.position.map(Position::id).unwrap_or_default())
    }

    fn parse(text: &str) -> Result<Self, ApiError> {
        let invalid = || group::invalid("The specified nextToken is invalid.");
        let (way, position) = text.split_once('/').ok_or_else(invalid)?;
        let backwards = match way {
            "b" => true,
            "f" => false,
            _ => return Err(invalid()),
        };
        let position = match position {
            "" => None,
            position => Some(Position::parse(position).ok_or_else(invalid)?),
        };
        Ok(Self { backwards, position })
    }
}
