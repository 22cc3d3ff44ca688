use crate::{
    ApiError,
    call::Call,
    generated::iot::delete_authorizer::{Input, Output},
};

/// `DELETE /authorizer/{authorizerName}`. AWS: API_DeleteAuthorizer.
pub(crate) async fn delete_authorizer(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    call.registry().delete_authorizer(call.tenant(), &input.authorizer_name).await?;
    Ok(Output {})
}
