// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Served operations of cloudtrail.

use crate::{
    ApiError,
    call::{Call, Reply},
    cloudtrail,
};

pub(crate) mod lookup_events;
pub(crate) mod shapes;

/// Their names.
pub(crate) static SERVED: &[&str] = &["LookupEvents"];

/// Answers a call; an operation without a handler is refused in the words of its model.
pub(crate) async fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {
    match call.operation.name {
        "LookupEvents" => call.reply(&cloudtrail::lookup_events(call, call.input(lookup_events::INPUT).await?).await?),
        _ => Err(call.not_served()),
    }
}
