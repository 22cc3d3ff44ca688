use tidegate_registry::CreateThingGroup;

use super::convert::{attribute_payload, tags};
use crate::{
    ApiError,
    call::Call,
    generated::iot::create_thing_group::{Input, Output},
};

/// `POST /thing-groups/{thingGroupName}`. AWS: API_CreateThingGroup.
pub(crate) async fn create_thing_group(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let properties = input.thing_group_properties.unwrap_or_default();
    let request = CreateThingGroup {
        name: input.thing_group_name,
        parent: input.parent_group_name,
        description: properties.thing_group_description,
        attributes: attribute_payload(properties.attribute_payload),
        tags: tags(input.tags),
    };
    let group = call.registry().create_thing_group(call.tenant(), request, call.now).await?;
    Ok(Output {
        thing_group_arn: Some(group.arn().to_string()),
        thing_group_id: Some(group.record.id.to_string()),
        thing_group_name: Some(group.name.to_string()),
    })
}
