use super::convert::thing_groups;
use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        describe_thing_group::{Input, Output},
        shapes::{AttributePayload, ThingGroupMetadata, ThingGroupProperties},
    },
};

/// `GET /thing-groups/{thingGroupName}`. AWS: API_DescribeThingGroup; the index, query and status are dynamic groups'.
pub(crate) async fn describe_thing_group(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let group = call.registry().describe_thing_group(call.tenant(), input.thing_group_name).await?;
    let (arn, record) = (group.arn(), group.record);
    let attributes = (!record.attributes.is_empty()).then_some(record.attributes.clone());
    let properties = ThingGroupProperties {
        thing_group_description: record.description.clone(),
        attribute_payload: attributes.map(|attributes| AttributePayload { attributes: Some(attributes), merge: None }),
    };
    let metadata = ThingGroupMetadata {
        parent_group_name: record.parent().map(ToString::to_string),
        root_to_parent_thing_groups: record.parent().map(|_| thing_groups(call.tenant(), record.above.clone())),
        creation_date: Some(record.created.into()),
    };
    Ok(Output {
        thing_group_name: Some(group.name.to_string()),
        thing_group_id: Some(record.id.to_string()),
        thing_group_arn: Some(arn.to_string()),
        version: Some(i64::try_from(record.version).unwrap_or(i64::MAX)),
        thing_group_properties: Some(properties),
        thing_group_metadata: Some(metadata),
        ..Output::default()
    })
}
