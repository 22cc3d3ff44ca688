use crate::{
    ApiError,
    call::Call,
    generated::iot::delete_thing_group::{Input, Output},
};

/// `DELETE /thing-groups/{thingGroupName}?expectedVersion`. AWS: API_DeleteThingGroup.
pub(crate) async fn delete_thing_group(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    call.registry().delete_thing_group(call.tenant(), input.thing_group_name, input.expected_version).await?;
    Ok(Output {})
}
