use crate::{
    ApiError,
    call::{Call, page},
    generated::iot_data::list_named_shadows_for_thing::{Input, Output},
};

/// `GET /api/things/shadow/ListNamedShadowsForThing/{thingName}?nextToken&pageSize`.
///
/// AWS: API_iotdata_ListNamedShadowsForThing.
pub(crate) async fn list_named_shadows_for_thing(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.page_size, input.next_token, Some(true));
    let found = call.registry().list_named_shadows_for_thing(call.tenant(), &input.thing_name, page).await?;
    Ok(Output {
        next_token: found.next_marker,
        results: Some(found.items.iter().map(ToString::to_string).collect()),
        timestamp: i64::try_from(call.now.wall.seconds()).ok(),
    })
}
