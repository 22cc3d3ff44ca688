use super::{data, page_token};
use crate::{
    ApiError,
    call::Call,
    generated::iot_data::{
        list_retained_messages::{Input, Output},
        shapes::RetainedMessageSummary,
    },
};

/// Page size when the caller names none. AWS: API_iotdata_ListRetainedMessages.
const PAGE_DEFAULT: usize = 200;

/// `GET /retainedMessage?maxResults&nextToken`. A page may be empty and have a next one. AWS: API_iotdata_ListRetainedMessages.
pub(crate) async fn list_retained_messages(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let from = page_token(call, input.next_token)?.unwrap_or(0);
    let max = input.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_DEFAULT);
    let page = data(call)?.broker.retained_page(call.tenant(), from, max, call.now);
    let summary = |retained: tidegate_broker::RetainedState| RetainedMessageSummary {
        last_modified_time: i64::try_from(retained.retained_at.millis()).ok(),
        payload_size: i64::try_from(retained.message.payload().len()).ok(),
        qos: Some(retained.qos as i32),
        topic: Some(retained.message.topic_name().to_owned()),
    };
    Ok(Output {
        next_token: page.next.map(|place| place.to_string()),
        retained_topics: Some(page.messages.into_iter().map(summary).collect()),
    })
}
