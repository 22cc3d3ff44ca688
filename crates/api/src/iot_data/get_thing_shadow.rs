use tidegate_shadow::Operation;

use super::shadow::ask;
use crate::{ApiError, call::Call, generated::iot_data::get_thing_shadow::Input};

/// `GET /things/{thingName}/shadow?name`. AWS: API_iotdata_GetThingShadow.
pub(crate) async fn get_thing_shadow(call: &Call<'_>, input: Input) -> Result<Vec<u8>, ApiError> {
    ask(call, input.thing_name, input.shadow_name, Operation::Get, &[]).await
}
