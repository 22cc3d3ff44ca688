use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_things_in_thing_group::{Input, Output},
};

/// `GET /thing-groups/{thingGroupName}/things?recursive&maxResults&nextToken`. AWS: API_ListThingsInThingGroup.
pub(crate) async fn list_things_in_thing_group(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.max_results, input.next_token, Some(true));
    let (name, recursive) = (input.thing_group_name, input.recursive.unwrap_or(false));
    let found = call.registry().list_things_in_thing_group(call.tenant(), &name, recursive, page).await?;
    let things = found.items.into_iter().map(|name| name.to_string());
    Ok(Output { things: Some(things.collect()), next_token: found.next_marker })
}
