use crate::{
    ApiError,
    call::Call,
    generated::iot::describe_thing::{Input, Output},
};

/// `GET /things/{thingName}`. AWS: API_DescribeThing.
pub(crate) async fn describe_thing(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let thing = call.registry().describe_thing(call.tenant(), input.thing_name).await?;
    let (arn, record) = (thing.arn(), thing.record);
    Ok(Output {
        attributes: Some(record.attributes),
        billing_group_name: None,
        default_client_id: Some(thing.name.to_string()),
        thing_arn: Some(arn.to_string()),
        thing_id: Some(record.id.to_string()),
        thing_name: Some(thing.name.to_string()),
        thing_type_name: record.thing_type.map(|name| name.to_string()),
        version: Some(i64::try_from(record.version).unwrap_or(i64::MAX)),
    })
}
