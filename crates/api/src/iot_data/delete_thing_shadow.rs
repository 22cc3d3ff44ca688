use tidegate_shadow::Operation;

use super::shadow::ask;
use crate::{ApiError, call::Call, generated::iot_data::delete_thing_shadow::Input};

/// `DELETE /things/{thingName}/shadow?name`. AWS: API_iotdata_DeleteThingShadow.
pub(crate) async fn delete_thing_shadow(call: &Call<'_>, input: Input) -> Result<Vec<u8>, ApiError> {
    ask(call, input.thing_name, input.shadow_name, Operation::Delete, &[]).await
}
