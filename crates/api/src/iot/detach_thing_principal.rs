use tidegate_registry::ThingPrincipal;

use crate::{
    ApiError,
    call::Call,
    generated::iot::detach_thing_principal::{Input, Output},
};

/// `DELETE /things/{thingName}/principals`, the principal in `x-amzn-principal`. AWS: API_DetachThingPrincipal.
pub(crate) async fn detach_thing_principal(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let principal = ThingPrincipal::parse(call.tenant(), &input.principal)?;
    call.registry().detach_thing_principal(call.tenant(), &input.thing_name, principal).await?;
    Ok(Output {})
}
