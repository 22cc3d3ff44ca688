use tidegate_registry::ThingPrincipal;

use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::{
        list_principal_things_v2::{Input, Output},
        shapes::PrincipalThingObject,
    },
};

/// `GET /principals/things-v2?maxResults&nextToken&thingPrincipalType`, the principal in `x-amzn-principal`.
///
/// AWS: API_ListPrincipalThingsV2.
pub(crate) async fn list_principal_things_v2(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let principal = ThingPrincipal::parse(call.tenant(), &input.principal)?;
    let page = page(input.max_results, input.next_token, Some(true));
    let kind = input.thing_principal_type;
    let found = call.registry().list_principal_things(call.tenant(), principal, kind, page).await?;
    let objects = found.items.into_iter().map(|(name, kind)| PrincipalThingObject {
        thing_name: Some(name.to_string()),
        thing_principal_type: Some(kind),
    });
    Ok(Output { principal_thing_objects: Some(objects.collect()), next_token: found.next_marker })
}
