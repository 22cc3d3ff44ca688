use super::convert::{thing_group_of, thing_of};
use crate::{
    ApiError,
    call::Call,
    generated::iot::remove_thing_from_thing_group::{Input, Output},
};

/// `PUT /thing-groups/removeThingFromThingGroup`. AWS: API_RemoveThingFromThingGroup.
pub(crate) async fn remove_thing_from_thing_group(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let thing = thing_of(call.tenant(), input.thing_name, input.thing_arn)?;
    let group = thing_group_of(call.tenant(), input.thing_group_name, input.thing_group_arn)?;
    call.registry().remove_thing_from_thing_group(call.tenant(), &thing, &group).await?;
    Ok(Output {})
}
