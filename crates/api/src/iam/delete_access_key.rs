use super::convert::{key_id, key_owner};
use crate::{ApiError, call::Call, generated::iam::delete_access_key::Input};

/// `DeleteAccessKey`: deletes a key; what it signs is refused at once. AWS: API_DeleteAccessKey of IAM.
pub(crate) async fn delete_access_key(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (user, id) = (key_owner(call, input.user_name)?, key_id(&input.access_key_id)?);
    Ok(call.registry().delete_access_key_of(call.tenant().account, user.as_deref(), &id).await?)
}
