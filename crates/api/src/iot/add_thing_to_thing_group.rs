use super::convert::{thing_group_of, thing_of};
use crate::{
    ApiError,
    call::Call,
    generated::iot::add_thing_to_thing_group::{Input, Output},
};

/// `PUT /thing-groups/addThingToThingGroup`. AWS: API_AddThingToThingGroup. `overrideDynamicGroups` means nothing where all
/// groups are static.
pub(crate) async fn add_thing_to_thing_group(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let thing = thing_of(call.tenant(), input.thing_name, input.thing_arn)?;
    let group = thing_group_of(call.tenant(), input.thing_group_name, input.thing_group_arn)?;
    call.registry().add_thing_to_thing_group(call.tenant(), &thing, &group).await?;
    Ok(Output {})
}
