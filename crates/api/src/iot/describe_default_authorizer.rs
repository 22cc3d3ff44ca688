use super::convert::authorizer_description;
use crate::{
    ApiError,
    call::Call,
    generated::iot::describe_default_authorizer::{Input, Output},
};

/// `GET /default-authorizer`. AWS: API_DescribeDefaultAuthorizer.
pub(crate) async fn describe_default_authorizer(call: &Call<'_>, _: Input) -> Result<Output, ApiError> {
    let found = call.registry().describe_default_authorizer(call.tenant()).await?;
    Ok(Output { authorizer_description: Some(authorizer_description(found)) })
}
