use tidegate_registry::{CreateThing, RegistryError};

use super::convert::attribute_payload;
use crate::{
    ApiError,
    call::Call,
    generated::iot::create_thing::{Input, Output},
};

/// `POST /things/{thingName}`. AWS: API_CreateThing.
pub(crate) async fn create_thing(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let Input { attribute_payload: payload, billing_group_name, thing_name, thing_type_name } = input;
    if let Some(group) = billing_group_name {
        return Err(RegistryError::BillingGroupNotFound(group).into());
    }
    let attributes = attribute_payload(payload);
    let request = CreateThing { name: thing_name, thing_type: thing_type_name, attributes };
    let thing = call.registry().create_thing(call.tenant(), request, call.now).await?;
    Ok(Output {
        thing_arn: Some(thing.arn().to_string()),
        thing_id: Some(thing.record.id.to_string()),
        thing_name: Some(thing.name.to_string()),
    })
}
