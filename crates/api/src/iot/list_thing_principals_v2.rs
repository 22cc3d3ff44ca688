use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::{
        list_thing_principals_v2::{Input, Output},
        shapes::ThingPrincipalObject,
    },
};

/// `GET /things/{thingName}/principals-v2?maxResults&nextToken&thingPrincipalType`. AWS: API_ListThingPrincipalsV2.
pub(crate) async fn list_thing_principals_v2(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (tenant, page) = (call.tenant(), page(input.max_results, input.next_token, Some(true)));
    let kind = input.thing_principal_type;
    let found = call.registry().list_thing_principals(tenant, &input.thing_name, kind, page).await?;
    let objects = found.items.into_iter().map(|(principal, kind)| ThingPrincipalObject {
        principal: Some(principal.arn(tenant).to_string()),
        thing_principal_type: Some(kind),
    });
    Ok(Output { thing_principal_objects: Some(objects.collect()), next_token: found.next_marker })
}
