use tidegate_shadow::Operation;

use super::shadow::ask;
use crate::{ApiError, call::Call, generated::iot_data::update_thing_shadow::Input};

/// `POST /things/{thingName}/shadow?name`. AWS: API_iotdata_UpdateThingShadow.
pub(crate) async fn update_thing_shadow(call: &Call<'_>, input: Input) -> Result<Vec<u8>, ApiError> {
    ask(call, input.thing_name, input.shadow_name, Operation::Update, call.request.body).await
}
