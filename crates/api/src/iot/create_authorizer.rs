use tidegate_registry::CreateAuthorizer;

use super::convert::tags;
use crate::{
    ApiError,
    call::Call,
    generated::iot::create_authorizer::{Input, Output},
};

/// `POST /authorizer/{authorizerName}`. AWS: API_CreateAuthorizer.
pub(crate) async fn create_authorizer(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let request = CreateAuthorizer {
        name: input.authorizer_name,
        function_arn: input.authorizer_function_arn,
        token_key_name: input.token_key_name,
        token_signing_public_keys: input.token_signing_public_keys.unwrap_or_default(),
        status: input.status,
        signing_disabled: input.signing_disabled.unwrap_or(false),
        enable_caching_for_http: input.enable_caching_for_http.unwrap_or(false),
        tags: tags(input.tags),
    };
    let made = call.registry().create_authorizer(call.tenant(), request, call.now).await?;
    Ok(Output { authorizer_arn: Some(made.arn().to_string()), authorizer_name: Some(made.name.to_string()) })
}
