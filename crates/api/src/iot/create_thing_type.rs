use super::convert::{tags, thing_type_properties};
use crate::{
    ApiError,
    call::Call,
    generated::iot::create_thing_type::{Input, Output},
};

/// `POST /thing-types/{thingTypeName}`. AWS: API_CreateThingType.
pub(crate) async fn create_thing_type(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (name, properties) = (input.thing_type_name, thing_type_properties(input.thing_type_properties));
    let tags = tags(input.tags);
    let made = call.registry().create_thing_type(call.tenant(), name, properties, tags, call.now).await?;
    Ok(Output {
        thing_type_arn: Some(made.arn().to_string()),
        thing_type_id: Some(made.record.id.to_string()),
        thing_type_name: Some(made.name.to_string()),
    })
}
