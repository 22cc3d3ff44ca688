use tidegate_registry::IdentityKind;

use crate::{ApiError, call::Call, generated::iam::delete_user::Input};

/// `DeleteUser`: deletes a user without keys and policies. AWS: API_DeleteUser of IAM.
pub(crate) async fn delete_user(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    Ok(call.registry().delete_identity(call.tenant().account, IdentityKind::User, &input.user_name).await?)
}
