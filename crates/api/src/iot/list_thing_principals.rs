use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_thing_principals::{Input, Output},
};

/// `GET /things/{thingName}/principals?maxResults&nextToken`. AWS: API_ListThingPrincipals.
pub(crate) async fn list_thing_principals(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (tenant, page) = (call.tenant(), page(input.max_results, input.next_token, Some(true)));
    let found = call.registry().list_thing_principals(tenant, &input.thing_name, None, page).await?;
    let principals = found.items.into_iter().map(|(principal, _)| principal.arn(tenant).to_string());
    Ok(Output { principals: Some(principals.collect()), next_token: found.next_marker })
}
