use crate::{
    ApiError,
    call::Call,
    generated::iot::delete_thing::{Input, Output},
};

/// `DELETE /things/{thingName}?expectedVersion`. AWS: API_DeleteThing.
pub(crate) async fn delete_thing(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    call.registry().delete_thing(call.tenant(), input.thing_name, input.expected_version).await?;
    Ok(Output {})
}
