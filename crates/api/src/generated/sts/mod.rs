// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Served operations of sts.

use crate::{
    ApiError,
    call::{Call, Reply},
    sts,
};

pub(crate) mod assume_role;
pub(crate) mod get_caller_identity;
pub(crate) mod get_session_token;
pub(crate) mod shapes;

/// Their names.
pub(crate) static SERVED: &[&str] = &["AssumeRole", "GetCallerIdentity", "GetSessionToken"];

/// Answers a call; an operation without a handler is refused in the words of its model.
pub(crate) async fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {
    match call.operation.name {
        "AssumeRole" => call.reply(&sts::assume_role(call, call.input(assume_role::INPUT).await?).await?),
        "GetCallerIdentity" => {
            call.reply(&sts::get_caller_identity(call, call.input(get_caller_identity::INPUT).await?).await?)
        }
        "GetSessionToken" => {
            call.reply(&sts::get_session_token(call, call.input(get_session_token::INPUT).await?).await?)
        }
        _ => Err(call.not_served()),
    }
}
