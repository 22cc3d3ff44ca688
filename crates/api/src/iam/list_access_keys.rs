use super::convert::key_owner;
use crate::generated::iam::shapes::AccessKeyMetadata;
use crate::{
    ApiError,
    call::Call,
    generated::iam::list_access_keys::{Input, Output},
};

/// `ListAccessKeys`: the access keys of a user; without a name, of who signs. At most a page. AWS: API_ListAccessKeys of IAM.
pub(crate) async fn list_access_keys(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let account = call.tenant().account;
    let keys = match key_owner(call, input.user_name)? {
        Some(user) => call.registry().list_user_access_keys(account, &user).await?,
        None => call.registry().list_access_keys(account).await?,
    };
    let metadata = keys.into_iter().map(|key| AccessKeyMetadata {
        user_name: key.user,
        access_key_id: Some(key.id.to_string()),
        status: Some(key.status),
        create_date: Some(key.created.into()),
    });
    Ok(Output { access_key_metadata: Some(metadata.collect()), is_truncated: Some(false), marker: None })
}
