use tidegate_registry::ThingFilter;

use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::{
        list_things::{Input, Output},
        shapes::ThingAttribute,
    },
};

/// `GET /things?maxResults&nextToken&attributeName&attributeValue&usePrefixAttributeValue&thingTypeName`.
///
/// AWS: API_ListThings.
pub(crate) async fn list_things(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.max_results, input.next_token, Some(true));
    let filter = ThingFilter {
        attribute_name: input.attribute_name,
        attribute_value: input.attribute_value,
        use_prefix_attribute_value: input.use_prefix_attribute_value.unwrap_or(false),
        thing_type: input.thing_type_name,
    };
    let found = call.registry().list_things(call.tenant(), filter, page).await?;
    let things = found.items.into_iter().map(|thing| ThingAttribute {
        thing_arn: Some(thing.arn().to_string()),
        attributes: Some(thing.record.attributes),
        thing_name: Some(thing.name.to_string()),
        thing_type_name: thing.record.thing_type.map(|name| name.to_string()),
        version: Some(i64::try_from(thing.record.version).unwrap_or(i64::MAX)),
    });
    Ok(Output { things: Some(things.collect()), next_token: found.next_marker })
}
