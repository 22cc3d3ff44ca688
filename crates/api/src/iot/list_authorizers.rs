use tidegate_ids::{Arn, AuthorizerName};

use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::{
        list_authorizers::{Input, Output},
        shapes::AuthorizerSummary,
    },
};

/// `GET /authorizers/?pageSize&marker&isAscendingOrder&status`. AWS: API_ListAuthorizers.
pub(crate) async fn list_authorizers(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.page_size, input.marker, input.ascending_order);
    let found = call.registry().list_authorizers(call.tenant(), input.status, page).await?;
    let summary = |name: AuthorizerName| AuthorizerSummary {
        authorizer_arn: Some(Arn::authorizer(call.tenant(), &name).to_string()),
        authorizer_name: Some(name.to_string()),
    };
    Ok(Output { authorizers: Some(found.items.into_iter().map(summary).collect()), next_marker: found.next_marker })
}
