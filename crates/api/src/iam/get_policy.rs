use super::convert::managed;
use crate::{
    ApiError,
    call::Call,
    generated::iam::get_policy::{Input, Output},
};

/// `GetPolicy`: a managed policy, without its document. AWS: API_GetPolicy of IAM.
pub(crate) async fn get_policy(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().get_managed_policy(call.tenant().account, &input.policy_arn).await?;
    Ok(Output { policy: Some(managed(found, true)) })
}
