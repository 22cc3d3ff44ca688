use super::convert::authorizer_description;
use crate::{
    ApiError,
    call::Call,
    generated::iot::describe_authorizer::{Input, Output},
};

/// `GET /authorizer/{authorizerName}`. AWS: API_DescribeAuthorizer.
pub(crate) async fn describe_authorizer(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().describe_authorizer(call.tenant(), input.authorizer_name).await?;
    Ok(Output { authorizer_description: Some(authorizer_description(found)) })
}
