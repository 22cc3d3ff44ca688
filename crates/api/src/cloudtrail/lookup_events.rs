use tidegate_ids::Timestamp;
use tidegate_logs::{LookedUp, Lookup, Recorded};

use crate::{
    ApiError,
    call::Call,
    generated::cloudtrail::{
        lookup_events::{Input, Output},
        shapes::{Event, LookupAttribute, LookupAttributeKey},
    },
    wire::EpochSeconds,
};

/// `LookupEvents`: calls that changed something in the caller's account and region, the newest first. A page may be empty and not
/// the last. AWS: CloudTrail, API_LookupEvents.
pub(crate) async fn lookup_events(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let error = |name: &'static str, text: &str| ApiError::new(name, 400, text);
    if input.event_category.is_some() {
        return Err(error("InvalidEventCategoryException", "Tidegate records no insight events"));
    }
    let attribute = match input.lookup_attributes.unwrap_or_default().as_slice() {
        [] => None,
        [one] => Some(attribute(one)?),
        _ => return Err(error("InvalidLookupAttributesException", "There is at most one lookup attribute")),
    };
    let all = Lookup::all(call.tenant());
    let from = input.start_time.map_or(all.from, |moment| moment.moment());
    // Its whole second.
    let to =
        input.end_time.map_or(all.to, |moment| Timestamp::from_millis(moment.moment().millis().saturating_add(999)));
    if from > to {
        return Err(error("InvalidTimeRangeException", "StartTime lies after EndTime"));
    }
    let token = |token: &str| {
        let number = token.strip_prefix("before/").and_then(|number| number.parse().ok());
        number.ok_or_else(|| error("InvalidNextTokenException", "The NextToken is not of this list"))
    };
    let before = input.next_token.as_deref().map(token).transpose()?;
    let max = input.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(all.max);
    let lookup = Lookup { from, to, attribute, before, max, ..all };
    let LookedUp { events, more } = match &call.api.trail {
        Some(trail) => trail.lookup(&lookup).await?,
        None => LookedUp::default(),
    };
    Ok(Output {
        events: Some(events.into_iter().map(row).collect()),
        next_token: more.map(|number| format!("before/{number}")),
    })
}

fn attribute(attribute: &LookupAttribute) -> Result<(String, String), ApiError> {
    let value = attribute.attribute_value.clone().unwrap_or_default();
    let key = match attribute.attribute_key {
        Some(LookupAttributeKey::Eventid) => "EventId",
        Some(LookupAttributeKey::Eventname) => "EventName",
        Some(LookupAttributeKey::Eventsource) => "EventSource",
        Some(LookupAttributeKey::Username) => "Username",
        Some(LookupAttributeKey::Accesskeyid) => "AccessKeyId",
        Some(LookupAttributeKey::Readonly) => "ReadOnly",
        Some(LookupAttributeKey::Resourcename | LookupAttributeKey::Resourcetype) | None => {
            let text = "Tidegate looks up by EventId, EventName, EventSource, Username, AccessKeyId and ReadOnly";
            return Err(ApiError::new("InvalidLookupAttributesException", 400, text));
        }
    };
    Ok((key.to_owned(), value))
}

fn row(recorded: Recorded) -> Event {
    let Recorded { at, event, text } = recorded;
    let member = |value: &serde_json::Value| value.as_str().map(str::to_owned);
    Event {
        event_id: member(&event["eventID"]),
        event_name: member(&event["eventName"]),
        read_only: Some("false".to_owned()),
        access_key_id: member(&event["userIdentity"]["accessKeyId"]),
        event_time: Some(EpochSeconds::from(at)),
        event_source: member(&event["eventSource"]),
        username: member(&event["userIdentity"]["userName"]),
        resources: Some(Vec::new()),
        cloud_trail_event: Some(text),
    }
}
