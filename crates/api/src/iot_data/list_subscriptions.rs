use base64::{Engine, engine::general_purpose::STANDARD};

use super::{data, delete_connection::not_found};
use crate::{
    ApiError,
    call::Call,
    generated::iot_data::{
        list_subscriptions::{Input, Output},
        shapes::SubscriptionSummary,
    },
};

/// Page size when the caller names none. AWS: API_iotdata_ListSubscriptions.
const PAGE_DEFAULT: usize = 20;

/// `GET /connections/{clientId}/subscriptions?maxResults&nextToken`, by filter. AWS: API_iotdata_ListSubscriptions.
pub(crate) async fn list_subscriptions(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let after = input.next_token.map(|token| {
        let bytes = STANDARD.decode(token).ok()?;
        String::from_utf8(bytes).ok()
    });
    if after == Some(None) {
        return Err(call.invalid("Invalid nextToken"));
    }
    let after = after.flatten();
    let max = input.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_DEFAULT);
    let found = data(call)?.broker.subscriptions(call.tenant(), &input.client_id, after.as_deref(), max + 1);
    let Some(mut found) = found else { return Err(not_found(&input.client_id)) };
    let more = found.len() > max;
    found.truncate(max);
    let next_token = found.last().filter(|_| more).map(|(filter, _)| STANDARD.encode(&**filter));
    let summary = |(filter, qos): (std::sync::Arc<str>, tidegate_mqtt::QoS)| SubscriptionSummary {
        qos: Some(qos as i32),
        topic_filter: Some(filter.to_string()),
    };
    Ok(Output { next_token, subscriptions: Some(found.into_iter().map(summary).collect()) })
}
