use crate::{
    ApiError,
    call::Call,
    generated::sts::get_caller_identity::{Input, Output},
};

/// `GetCallerIdentity`: who the signer is. AWS: sts; an account's root has the account number as its user id.
pub(crate) async fn get_caller_identity(call: &Call<'_>, Input {}: Input) -> Result<Output, ApiError> {
    let account = call.tenant().account.to_string();
    Ok(Output { user_id: Some(account.clone()), account: Some(account), arn: Some(call.caller.arn.to_string()) })
}
