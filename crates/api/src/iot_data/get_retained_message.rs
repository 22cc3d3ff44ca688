use tidegate_broker::https;

use super::data;
use crate::{
    ApiError,
    call::Call,
    generated::iot_data::get_retained_message::{Input, Output},
    wire::Blob,
};

/// `GET /retainedMessage/{topic}`. AWS: API_iotdata_GetRetainedMessage. Unverified: the sentence of the 404.
pub(crate) async fn get_retained_message(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let Some(retained) = data(call)?.broker.retained_state(call.tenant(), &input.topic, call.now) else {
        let text = "No retained message exists for the given topic.";
        return Err(ApiError::new("ResourceNotFoundException", 404, text));
    };
    let message = &retained.message;
    Ok(Output {
        last_modified_time: i64::try_from(retained.retained_at.millis()).ok(),
        payload: Some(Blob(message.payload().to_vec())),
        qos: Some(retained.qos as i32),
        topic: Some(message.topic_name().to_owned()),
        user_properties: https::user_properties_json(&message.properties()).map(|json| Blob(json.into_bytes())),
    })
}
