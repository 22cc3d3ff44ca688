use crate::{
    ApiError,
    call::Call,
    generated::sts::get_caller_identity::{Input, Output},
};

/// `GetCallerIdentity`: who the signer is. AWS: sts; an account's root has the account number as its user id.
pub(crate) async fn get_caller_identity(call: &Call<'_>, Input {}: Input) -> Result<Output, ApiError> {
    let credential = &call.caller.credential;
    Ok(Output {
        user_id: Some(credential.user_id().to_owned()),
        account: Some(credential.account.to_string()),
        arn: Some(credential.arn().to_string()),
    })
}
