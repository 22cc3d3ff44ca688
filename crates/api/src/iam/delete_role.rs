use tidegate_registry::IdentityKind;

use crate::{ApiError, call::Call, generated::iam::delete_role::Input};

/// `DeleteRole`: deletes a role without policies. Its sessions end. AWS: API_DeleteRole of IAM.
pub(crate) async fn delete_role(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    Ok(call.registry().delete_identity(call.tenant().account, IdentityKind::Role, &input.role_name).await?)
}
