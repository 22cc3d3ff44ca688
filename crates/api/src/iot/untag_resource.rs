use tidegate_registry::TaggedResource;

use crate::{
    ApiError,
    call::Call,
    generated::iot::untag_resource::{Input, Output},
};

/// `POST /untag`. AWS: API_UntagResource.
pub(crate) async fn untag_resource(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let resource = TaggedResource::parse(call.tenant(), &input.resource_arn)?;
    call.registry().untag_resource(call.tenant(), &resource, &input.tag_keys).await?;
    Ok(Output {})
}
