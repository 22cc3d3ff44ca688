use crate::{
    ApiError,
    call::Call,
    generated::iot::deprecate_thing_type::{Input, Output},
};

/// `POST /thing-types/{thingTypeName}/deprecate`. AWS: API_DeprecateThingType.
pub(crate) async fn deprecate_thing_type(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let undo = input.undo_deprecate.unwrap_or(false);
    call.registry().deprecate_thing_type(call.tenant(), &input.thing_type_name, undo, call.now).await?;
    Ok(Output {})
}
