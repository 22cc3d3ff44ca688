// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Served operations of logs.

use crate::{
    ApiError,
    call::{Call, Reply},
    logs,
};

pub(crate) mod describe_log_groups;
pub(crate) mod describe_log_streams;
pub(crate) mod filter_log_events;
pub(crate) mod get_log_events;
pub(crate) mod shapes;

/// Their names.
pub(crate) static SERVED: &[&str] = &["DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents"];

/// Answers a call; an operation without a handler is refused in the words of its model.
pub(crate) async fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {
    match call.operation.name {
        "DescribeLogGroups" => {
            call.reply(&logs::describe_log_groups(call, call.input(describe_log_groups::INPUT).await?).await?)
        }
        "DescribeLogStreams" => {
            call.reply(&logs::describe_log_streams(call, call.input(describe_log_streams::INPUT).await?).await?)
        }
        "FilterLogEvents" => {
            call.reply(&logs::filter_log_events(call, call.input(filter_log_events::INPUT).await?).await?)
        }
        "GetLogEvents" => call.reply(&logs::get_log_events(call, call.input(get_log_events::INPUT).await?).await?),
        _ => Err(call.not_served()),
    }
}
