use tidegate_registry::IdentityKind;

use super::convert::{own_name, root, user};
use crate::{
    ApiError,
    call::Call,
    generated::iam::get_user::{Input, Output},
};

/// `GetUser`: a user; without a name, the one who signs. AWS: API_GetUser of IAM.
pub(crate) async fn get_user(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let account = call.tenant().account;
    let user_name = match input.user_name.or_else(|| own_name(call)) {
        Some(name) => name,
        None => return Ok(Output { user: Some(root(call)?) }),
    };
    let found = call.registry().get_identity(account, IdentityKind::User, &user_name).await?;
    Ok(Output { user: Some(user(call, found)) })
}
