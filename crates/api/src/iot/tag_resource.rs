use tidegate_registry::TaggedResource;

use super::convert::tags;
use crate::{
    ApiError,
    call::Call,
    generated::iot::tag_resource::{Input, Output},
};

/// `POST /tags`. AWS: API_TagResource.
pub(crate) async fn tag_resource(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let resource = TaggedResource::parse(call.tenant(), &input.resource_arn)?;
    call.registry().tag_resource(call.tenant(), &resource, &tags(Some(input.tags))).await?;
    Ok(Output {})
}
