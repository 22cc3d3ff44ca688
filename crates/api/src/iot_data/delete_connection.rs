use tidegate_broker::{CloseReason, Effects, Ending};

use super::{data, durable};
use crate::{ApiError, call::Call, generated::iot_data::delete_connection::Input};

/// `DELETE /connections/{clientId}?cleanSession&preventWillMessage`: MQTT 5 clients are told 0x98.
///
/// AWS: API_iotdata_DeleteConnection. Unverified: that a client that is away is known here only if its session is to end too.
pub(crate) async fn delete_connection(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let data = data(call)?;
    let ending = Ending {
        reason: CloseReason::AdministrativeAction,
        drop_session: input.clean_session.unwrap_or(false),
        prevent_will: input.prevent_will_message.unwrap_or(false),
    };
    let (tell, answer) = durable::promise();
    let mut effects = Effects::outside();
    let ended = data.broker.delete_connection(call.tenant(), &input.client_id, ending, call.now, &mut effects);
    effects.when_durable(tell);
    data.broker.hand_over(&mut effects);
    if !ended {
        return Err(not_found(&input.client_id));
    }
    answer.kept().await
}

/// Unverified: the sentence.
pub(super) fn not_found(client_id: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", 404, format!("No connection of client id {client_id} is known"))
}
