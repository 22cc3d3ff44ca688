use tidegate_registry::EventType;

use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        describe_event_configurations::{Input, Output},
        shapes::Configuration,
    },
};

/// `GET /event-configurations`. All are off until they are set. AWS: API_DescribeEventConfigurations.
pub(crate) async fn describe_event_configurations(call: &Call<'_>, _input: Input) -> Result<Output, ApiError> {
    let record = call.registry().describe_event_configurations(call.tenant()).await?;
    let is_on = |event_type: &EventType| record.as_ref().is_some_and(|record| record.enabled.contains(event_type));
    let switch =
        |event_type: &EventType| (event_type.as_str().to_owned(), Configuration { enabled: Some(is_on(event_type)) });
    Ok(Output {
        creation_date: record.as_ref().map(|record| record.created.into()),
        event_configurations: Some(EventType::ALL.iter().map(switch).collect()),
        last_modified_date: record.as_ref().map(|record| record.modified.into()),
    })
}
