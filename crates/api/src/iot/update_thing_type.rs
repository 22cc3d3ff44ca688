use super::convert::thing_type_properties;
use crate::{
    ApiError,
    call::Call,
    generated::iot::update_thing_type::{Input, Output},
};

/// `PATCH /thing-types/{thingTypeName}`. AWS: API_UpdateThingType.
pub(crate) async fn update_thing_type(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let properties = thing_type_properties(input.thing_type_properties);
    call.registry().update_thing_type(call.tenant(), &input.thing_type_name, properties).await?;
    Ok(Output {})
}
