use super::convert::{thing_type_metadata, thing_type_properties_out};
use crate::{
    ApiError,
    call::Call,
    generated::iot::describe_thing_type::{Input, Output},
};

/// `GET /thing-types/{thingTypeName}`. AWS: API_DescribeThingType.
pub(crate) async fn describe_thing_type(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().describe_thing_type(call.tenant(), input.thing_type_name).await?;
    Ok(Output {
        thing_type_arn: Some(found.arn().to_string()),
        thing_type_id: Some(found.record.id.to_string()),
        thing_type_metadata: Some(thing_type_metadata(&found.record)),
        thing_type_name: Some(found.name.to_string()),
        thing_type_properties: Some(thing_type_properties_out(found.record.properties)),
    })
}
