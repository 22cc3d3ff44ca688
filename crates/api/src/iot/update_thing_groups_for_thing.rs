use tidegate_ids::ThingGroupName;

use super::convert::thing_of;
use crate::{
    ApiError,
    call::Call,
    generated::iot::update_thing_groups_for_thing::{Input, Output},
};

/// Most groups in one list: far more than a thing can be in. Unverified: the model has no bound.
const GROUPS_MAX: usize = 100;

/// `PUT /thing-groups/updateThingGroupsForThing`. AWS: API_UpdateThingGroupsForThing. `overrideDynamicGroups` means nothing
/// where all groups are static.
pub(crate) async fn update_thing_groups_for_thing(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let thing = thing_of(call.tenant(), input.thing_name, None)?;
    let (add, remove) = (names(input.thing_groups_to_add)?, names(input.thing_groups_to_remove)?);
    call.registry().update_thing_groups_for_thing(call.tenant(), &thing, &add, &remove).await?;
    Ok(Output {})
}

fn names(list: Option<Vec<String>>) -> Result<Vec<ThingGroupName>, ApiError> {
    let list = list.unwrap_or_default();
    if list.len() > GROUPS_MAX {
        return Err(ApiError::invalid_request(format!("A list names at most {GROUPS_MAX} thing groups")));
    }
    let name = |text: String| {
        text.parse().map_err(|error: tidegate_ids::IdError| ApiError::invalid_request(error.to_string()))
    };
    list.into_iter().map(name).collect()
}
