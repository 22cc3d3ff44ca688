use tidegate_registry::TaggedResource;

use super::convert::tags_out;
use crate::{
    ApiError,
    call::Call,
    generated::iot::list_tags_for_resource::{Input, Output},
};

/// `GET /tags?resourceArn&nextToken`. AWS: API_ListTagsForResource.
pub(crate) async fn list_tags_for_resource(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let resource = TaggedResource::parse(call.tenant(), &input.resource_arn)?;
    let token = input.next_token.as_deref();
    let found = call.registry().list_tags_for_resource(call.tenant(), &resource, token).await?;
    Ok(Output { tags: Some(tags_out(found)), next_token: None })
}
