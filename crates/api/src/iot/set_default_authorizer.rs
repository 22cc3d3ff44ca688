use crate::{
    ApiError,
    call::Call,
    generated::iot::set_default_authorizer::{Input, Output},
};

/// `POST /default-authorizer`. AWS: API_SetDefaultAuthorizer.
pub(crate) async fn set_default_authorizer(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let set = call.registry().set_default_authorizer(call.tenant(), input.authorizer_name).await?;
    Ok(Output { authorizer_arn: Some(set.arn().to_string()), authorizer_name: Some(set.name.to_string()) })
}
