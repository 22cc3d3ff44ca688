use tidegate_registry::ThingGroupFilter;

use super::convert::thing_groups;
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_thing_groups::{Input, Output},
};

/// `GET /thing-groups?parentGroup&namePrefixFilter&recursive&maxResults&nextToken`. AWS: API_ListThingGroups.
///
/// Unverified: that an absent `recursive` lists groups of all levels; the model only says that it has no default.
pub(crate) async fn list_thing_groups(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let filter = ThingGroupFilter {
        parent: input.parent_group,
        recursive: input.recursive.unwrap_or(true),
        name_prefix: input.name_prefix_filter,
    };
    let page = page(input.max_results, input.next_token, Some(true));
    let found = call.registry().list_thing_groups(call.tenant(), &filter, page).await?;
    Ok(Output { thing_groups: Some(thing_groups(call.tenant(), found.items)), next_token: found.next_marker })
}
