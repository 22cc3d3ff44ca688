use super::convert::{key_id, key_owner};
use crate::{ApiError, call::Call, generated::iam::update_access_key::Input};

/// `UpdateAccessKey`: accepts signatures with a key, or does not. AWS: API_UpdateAccessKey of IAM.
pub(crate) async fn update_access_key(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let (user, id) = (key_owner(call, input.user_name)?, key_id(&input.access_key_id)?);
    Ok(call.registry().update_access_key(call.tenant().account, user.as_deref(), &id, input.status).await?)
}
