// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Served operations of sts.

use crate::{
    ApiError,
    call::{Call, Reply},
    sts,
};

pub(crate) mod get_caller_identity;
pub(crate) mod shapes;

/// Answers a call; an operation without a handler is refused in the words of its model.
pub(crate) async fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {
    match call.operation.name {
        "GetCallerIdentity" => {
            call.reply(&sts::get_caller_identity(call, call.input(get_caller_identity::INPUT)?).await?)
        }
        _ => Err(call.not_served()),
    }
}
