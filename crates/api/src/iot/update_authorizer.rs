use tidegate_registry::UpdateAuthorizer;

use crate::{
    ApiError,
    call::Call,
    generated::iot::update_authorizer::{Input, Output},
};

/// `PUT /authorizer/{authorizerName}`. AWS: API_UpdateAuthorizer.
pub(crate) async fn update_authorizer(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let update = UpdateAuthorizer {
        function_arn: input.authorizer_function_arn,
        token_key_name: input.token_key_name,
        token_signing_public_keys: input.token_signing_public_keys,
        status: input.status,
        enable_caching_for_http: input.enable_caching_for_http,
    };
    let updated = call.registry().update_authorizer(call.tenant(), input.authorizer_name, update, call.now).await?;
    Ok(Output { authorizer_arn: Some(updated.arn().to_string()), authorizer_name: Some(updated.name.to_string()) })
}
