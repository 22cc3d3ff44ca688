use super::convert::thing_groups;
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_thing_groups_for_thing::{Input, Output},
};

/// `GET /things/{thingName}/thing-groups?maxResults&nextToken`. AWS: API_ListThingGroupsForThing.
pub(crate) async fn list_thing_groups_for_thing(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.max_results, input.next_token, Some(true));
    let found = call.registry().list_thing_groups_for_thing(call.tenant(), &input.thing_name, page).await?;
    Ok(Output { thing_groups: Some(thing_groups(call.tenant(), found.items)), next_token: found.next_marker })
}
