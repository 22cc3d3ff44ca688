use super::convert::{unkept, user};
use crate::{
    ApiError,
    call::Call,
    generated::iam::create_user::{Input, Output},
};

/// `CreateUser`: makes a user, who may do nothing yet. AWS: API_CreateUser of IAM.
pub(crate) async fn create_user(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    unkept(input.tags.as_ref(), "tags")?;
    unkept(input.permissions_boundary.as_ref(), "permissions boundary")?;
    let made = call.registry().create_user(call.tenant().account, input.user_name, input.path, call.now).await?;
    Ok(Output { user: Some(user(call, made)) })
}
