use crate::{
    ApiError,
    call::Call,
    generated::iot::clear_default_authorizer::{Input, Output},
};

/// `DELETE /default-authorizer`. AWS: API_ClearDefaultAuthorizer.
pub(crate) async fn clear_default_authorizer(call: &Call<'_>, _: Input) -> Result<Output, ApiError> {
    call.registry().clear_default_authorizer(call.tenant()).await?;
    Ok(Output {})
}
