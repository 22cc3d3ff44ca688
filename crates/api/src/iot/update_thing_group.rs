use tidegate_registry::UpdateThingGroup;

use super::convert::attribute_payload;
use crate::{
    ApiError,
    call::Call,
    generated::iot::update_thing_group::{Input, Output},
};

/// `PATCH /thing-groups/{thingGroupName}`. AWS: API_UpdateThingGroup.
pub(crate) async fn update_thing_group(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let properties = input.thing_group_properties;
    let request = UpdateThingGroup {
        name: input.thing_group_name,
        description: properties.thing_group_description,
        attributes: attribute_payload(properties.attribute_payload),
        expected_version: input.expected_version,
    };
    let version = call.registry().update_thing_group(call.tenant(), request).await?;
    Ok(Output { version: Some(i64::try_from(version).unwrap_or(i64::MAX)) })
}
