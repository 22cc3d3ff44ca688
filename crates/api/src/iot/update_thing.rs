use tidegate_registry::UpdateThing;

use super::convert::attribute_payload;
use crate::{
    ApiError,
    call::Call,
    generated::iot::update_thing::{Input, Output},
};

/// `PATCH /things/{thingName}`. AWS: API_UpdateThing.
pub(crate) async fn update_thing(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let request = UpdateThing {
        name: input.thing_name,
        thing_type: input.thing_type_name,
        remove_thing_type: input.remove_thing_type.unwrap_or(false),
        attributes: attribute_payload(input.attribute_payload),
        expected_version: input.expected_version,
    };
    call.registry().update_thing(call.tenant(), request, call.now).await?;
    Ok(Output {})
}
