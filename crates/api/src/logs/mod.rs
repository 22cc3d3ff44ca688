//! Operations of Amazon CloudWatch Logs that read what the broker logged, one file each.
//!
//! Two log groups exist in each account and region; their streams are the days (UTC) on which something was logged.

mod describe_log_groups;
mod describe_log_streams;
mod filter_log_events;
mod get_log_events;
mod group;

pub(crate) use describe_log_groups::describe_log_groups;
pub(crate) use describe_log_streams::describe_log_streams;
pub(crate) use filter_log_events::filter_log_events;
pub(crate) use get_log_events::get_log_events;
pub(crate) use group::{V2_GROUP, arn as group_arn};
