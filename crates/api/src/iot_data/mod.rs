//! The data plane: messages, retained messages, connections. One file an operation, named as it.
//!
//! What a caller may reach is the broker's part of its account and region.

mod delete_connection;
mod durable;
mod get_retained_message;
mod list_retained_messages;
mod list_subscriptions;
mod publish;

pub(crate) use delete_connection::delete_connection;
pub(crate) use get_retained_message::get_retained_message;
pub(crate) use list_retained_messages::list_retained_messages;
pub(crate) use list_subscriptions::list_subscriptions;
pub(crate) use publish::publish;

use crate::{ApiError, DataPlane, call::Call};

/// What the operations work on.
fn data<'a>(call: &'a Call<'_>) -> Result<&'a DataPlane, ApiError> {
    call.api.data.as_ref().ok_or_else(|| call.not_served())
}

/// The page that `nextToken` names, as a page before answered it.
fn page_token<T: std::str::FromStr>(call: &Call<'_>, token: Option<String>) -> Result<Option<T>, ApiError> {
    token.map(|token| token.parse().map_err(|_| call.invalid("Invalid nextToken"))).transpose()
}
