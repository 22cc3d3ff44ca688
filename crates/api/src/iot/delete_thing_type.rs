use crate::{
    ApiError,
    call::Call,
    generated::iot::delete_thing_type::{Input, Output},
};

/// `DELETE /thing-types/{thingTypeName}`. AWS: API_DeleteThingType.
pub(crate) async fn delete_thing_type(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    call.registry().delete_thing_type(call.tenant(), &input.thing_type_name, call.now).await?;
    Ok(Output {})
}
