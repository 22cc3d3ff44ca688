use tidegate_registry::IdentityKind;

use super::convert::role;
use crate::{
    ApiError,
    call::Call,
    generated::iam::get_role::{Input, Output},
};

/// `GetRole`: a role, with who may take it on. AWS: API_GetRole of IAM.
pub(crate) async fn get_role(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().get_identity(call.tenant().account, IdentityKind::Role, &input.role_name).await?;
    Ok(Output { role: Some(role(call, found)) })
}
