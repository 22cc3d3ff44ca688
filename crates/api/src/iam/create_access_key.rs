use tidegate_registry::AccessKeyStatus;

use super::convert::key_owner;
use crate::generated::iam::shapes::AccessKey;
use crate::{
    ApiError,
    call::Call,
    generated::iam::create_access_key::{Input, Output},
};

/// `CreateAccessKey`: makes an access key: of a user; without a name, of who signs. AWS: API_CreateAccessKey of IAM.
pub(crate) async fn create_access_key(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let account = call.tenant().account;
    let user_name = key_owner(call, input.user_name)?;
    let made = match &user_name {
        Some(user) => call.registry().create_user_access_key(account, user, call.now).await?,
        None => call.registry().create_access_key(account, call.now).await?,
    };
    Ok(Output {
        access_key: Some(AccessKey {
            user_name: Some(user_name.unwrap_or_else(|| account.to_string())),
            access_key_id: Some(made.id.to_string()),
            status: Some(AccessKeyStatus::Active),
            secret_access_key: Some(made.secret.to_string()),
            create_date: Some(call.now.wall.into()),
        }),
    })
}
