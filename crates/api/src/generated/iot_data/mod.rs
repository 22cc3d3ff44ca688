// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Served operations of iot-data.

use crate::{
    ApiError,
    call::{Call, Reply},
    iot_data,
};

pub(crate) mod delete_connection;
pub(crate) mod delete_thing_shadow;
pub(crate) mod get_connection;
pub(crate) mod get_retained_message;
pub(crate) mod get_thing_shadow;
pub(crate) mod list_named_shadows_for_thing;
pub(crate) mod list_retained_messages;
pub(crate) mod list_subscriptions;
pub(crate) mod publish;
pub(crate) mod shapes;
pub(crate) mod update_thing_shadow;

/// Their names.
pub(crate) static SERVED: &[&str] = &[
    "DeleteConnection",
    "DeleteThingShadow",
    "GetConnection",
    "GetRetainedMessage",
    "GetThingShadow",
    "ListNamedShadowsForThing",
    "ListRetainedMessages",
    "ListSubscriptions",
    "Publish",
    "UpdateThingShadow",
];

/// Answers a call; an operation without a handler is refused in the words of its model.
pub(crate) async fn serve(call: &Call<'_>) -> Result<Reply, ApiError> {
    match call.operation.name {
        "DeleteConnection" => {
            call.reply(&iot_data::delete_connection(call, call.input(delete_connection::INPUT).await?).await?)
        }
        "DeleteThingShadow" => Ok(Reply::Document(
            iot_data::delete_thing_shadow(call, call.input(delete_thing_shadow::INPUT).await?).await?,
        )),
        "GetConnection" => call.reply(&iot_data::get_connection(call, call.input(get_connection::INPUT).await?).await?),
        "GetRetainedMessage" => {
            call.reply(&iot_data::get_retained_message(call, call.input(get_retained_message::INPUT).await?).await?)
        }
        "GetThingShadow" => {
            Ok(Reply::Document(iot_data::get_thing_shadow(call, call.input(get_thing_shadow::INPUT).await?).await?))
        }
        "ListNamedShadowsForThing" => call.reply(
            &iot_data::list_named_shadows_for_thing(call, call.input(list_named_shadows_for_thing::INPUT).await?)
                .await?,
        ),
        "ListRetainedMessages" => {
            call.reply(&iot_data::list_retained_messages(call, call.input(list_retained_messages::INPUT).await?).await?)
        }
        "ListSubscriptions" => {
            call.reply(&iot_data::list_subscriptions(call, call.input(list_subscriptions::INPUT).await?).await?)
        }
        "Publish" => call.reply(&iot_data::publish(call, call.input(publish::INPUT).await?).await?),
        "UpdateThingShadow" => Ok(Reply::Document(
            iot_data::update_thing_shadow(call, call.input(update_thing_shadow::INPUT).await?).await?,
        )),
        _ => Err(call.not_served()),
    }
}
