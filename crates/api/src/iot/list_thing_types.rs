use super::convert::{thing_type_metadata, thing_type_properties_out};
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::{
        list_thing_types::{Input, Output},
        shapes::ThingTypeDefinition,
    },
};

/// `GET /thing-types?maxResults&nextToken&thingTypeName`. AWS: API_ListThingTypes.
pub(crate) async fn list_thing_types(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.max_results, input.next_token, Some(true));
    let found = call.registry().list_thing_types(call.tenant(), input.thing_type_name, page).await?;
    let types = found.items.into_iter().map(|found| ThingTypeDefinition {
        thing_type_arn: Some(found.arn().to_string()),
        thing_type_metadata: Some(thing_type_metadata(&found.record)),
        thing_type_name: Some(found.name.to_string()),
        thing_type_properties: Some(thing_type_properties_out(found.record.properties)),
    });
    Ok(Output { thing_types: Some(types.collect()), next_token: found.next_marker })
}
