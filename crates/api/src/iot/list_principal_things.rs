use tidegate_registry::ThingPrincipal;

use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_principal_things::{Input, Output},
};

/// `GET /principals/things?maxResults&nextToken`, the principal in `x-amzn-principal`. AWS: API_ListPrincipalThings.
pub(crate) async fn list_principal_things(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let principal = ThingPrincipal::parse(call.tenant(), &input.principal)?;
    let page = page(input.max_results, input.next_token, Some(true));
    let found = call.registry().list_principal_things(call.tenant(), principal, None, page).await?;
    let things = found.items.into_iter().map(|(name, _)| name.to_string());
    Ok(Output { things: Some(things.collect()), next_token: found.next_marker })
}
