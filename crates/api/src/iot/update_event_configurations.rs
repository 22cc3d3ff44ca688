use tidegate_registry::EventType;

use crate::{
    ApiError,
    call::Call,
    generated::iot::update_event_configurations::{Input, Output},
};

/// `PATCH /event-configurations`. AWS: API_UpdateEventConfigurations.
pub(crate) async fn update_event_configurations(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let given = input.event_configurations.unwrap_or_default();
    let switches: Vec<_> = EventType::ALL
        .iter()
        .filter_map(|event_type| Some((*event_type, given.get(event_type.as_str())?.enabled?)))
        .collect();
    call.registry().update_event_configurations(call.tenant(), &switches, call.now).await?;
    Ok(Output {})
}
