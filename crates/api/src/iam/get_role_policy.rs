use tidegate_registry::{IamError, IdentityKind, RegistryError};

use super::convert::policy_name;
use crate::wire::percent_encoded;
use crate::{
    ApiError,
    call::Call,
    generated::iam::get_role_policy::{Input, Output},
};

/// `GetRolePolicy`: a role's own policy. AWS: API_GetRolePolicy of IAM.
pub(crate) async fn get_role_policy(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let (account, kind, policy) = (call.tenant().account, IdentityKind::Role, policy_name(&input.policy_name)?);
    let found = call.registry().get_identity(account, kind, &input.role_name).await?;
    let document = found.inline_policies.get(&policy).cloned();
    let document = document.ok_or(RegistryError::from(IamError::NoSuchInlinePolicy { kind, name: policy }))?;
    Ok(Output {
        role_name: Some(found.name),
        policy_name: Some(input.policy_name),
        policy_document: Some(percent_encoded(&document)),
    })
}
