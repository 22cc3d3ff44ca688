//! The data plane: messages, retained messages, connections, shadows. One file an operation, named as it.
//!
//! What a caller may reach is the broker's part of its account and region.

mod delete_connection;
mod delete_thing_shadow;
mod durable;
mod get_connection;
mod get_retained_message;
mod get_thing_shadow;
mod list_named_shadows_for_thing;
mod list_retained_messages;
mod list_subscriptions;
mod log;
mod publish;
mod shadow;
mod update_thing_shadow;

pub(crate) use delete_connection::delete_connection;
pub(crate) use delete_thing_shadow::delete_thing_shadow;
pub(crate) use get_connection::get_connection;
pub(crate) use get_retained_message::get_retained_message;
pub(crate) use get_thing_shadow::get_thing_shadow;
pub(crate) use list_named_shadows_for_thing::list_named_shadows_for_thing;
pub(crate) use list_retained_messages::list_retained_messages;
pub(crate) use list_subscriptions::list_subscriptions;
pub(crate) use log::log;
pub(crate) use publish::publish;
pub(crate) use update_thing_shadow::update_thing_shadow;

use crate::{ApiError, DataPlane, call::Call};

/// What the operations work on.
fn data<'a>(call: &'a Call<'_>) -> Result<&'a DataPlane, ApiError> {
    call.api.data.as_ref().ok_or_else(|| call.not_served())
}

/// The page that `nextToken` names, as a page before answered it.
fn page_token<T: std::str::FromStr>(call: &Call<'_>, token: Option<String>) -> Result<Option<T>, ApiError> {
    token.map(|token| token.parse().map_err(|_| call.invalid("Invalid nextToken"))).transpose()
}
