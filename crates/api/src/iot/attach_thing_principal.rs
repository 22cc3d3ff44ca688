use tidegate_registry::{ThingPrincipal, ThingPrincipalType};

use crate::{
    ApiError,
    call::Call,
    generated::iot::attach_thing_principal::{Input, Output},
};

/// `PUT /things/{thingName}/principals?thingPrincipalType`, the principal in `x-amzn-principal`.
///
/// AWS: API_AttachThingPrincipal; without a type the attachment is not exclusive.
pub(crate) async fn attach_thing_principal(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let principal = ThingPrincipal::parse(call.tenant(), &input.principal)?;
    let kind = input.thing_principal_type.unwrap_or(ThingPrincipalType::NonExclusiveThing);
    call.registry().attach_thing_principal(call.tenant(), &input.thing_name, principal, kind).await?;
    Ok(Output {})
}
