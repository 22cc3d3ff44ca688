use tidegate_broker::{Effects, OutsidePublish, PublishRefused, https};
use tidegate_mqtt::QoS;

use super::{data, durable};
use crate::{
    ApiError, call::Call, generated::iot_data::publish::Input, generated::iot_data::shapes::PayloadFormatIndicator,
};

/// `POST /topics/{topic}?qos&retain&contentType&responseTopic&messageExpiry`, the body is the payload.
///
/// Answered when the message is durable for the sessions that are kept. AWS: API_iotdata_Publish. Unverified: the sentences.
pub(crate) async fn publish(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let data = data(call)?;
    let fields = https::Fields {
        content_type: input.content_type.as_deref(),
        response_topic: input.response_topic.as_deref(),
        message_expiry: input.message_expiry,
        payload_format_indicator: input.payload_format_indicator.map(|indicator| match indicator {
            PayloadFormatIndicator::UnspecifiedBytes => "UNSPECIFIED_BYTES",
            PayloadFormatIndicator::Utf8Data => "UTF8_DATA",
        }),
        correlation_data: input.correlation_data.as_deref(),
        user_properties: input.user_properties.as_deref(),
    };
    let properties = https::Properties::parse(&fields).map_err(|why| call.invalid(why))?;
    let (tell, answer) = durable::promise();
    let mut effects = Effects::outside();
    let published = properties.lend(|properties| {
        let publish = OutsidePublish {
            tenant: call.tenant(),
            topic_name: &input.topic,
            properties,
            payload: call.request.body,
            qos: if input.qos == Some(1) { QoS::AtLeastOnce } else { QoS::AtMostOnce },
            retain: input.retain.unwrap_or(false),
            profile: &data.profile,
        };
        data.broker.publish_from_outside(&publish, tell, call.now, &mut effects)
    });
    data.broker.hand_over(&mut effects);
    published.map_err(|refused| refusal(call, refused))?;
    answer.kept().await
}

fn refusal(call: &Call<'_>, refused: PublishRefused) -> ApiError {
    match refused {
        PublishRefused::TopicName => call.invalid("The topic is not a valid MQTT topic name"),
        PublishRefused::Malformed => call.invalid("A property of the message is not valid"),
        PublishRefused::TooLarge(quota) => call.invalid(format!("The message exceeds a quota: {}", quota.name())),
        // AWS: only services publish there.
        PublishRefused::Reserved => ApiError::new("ForbiddenException", 403, "Forbidden"),
        PublishRefused::Exceeded(quota) => {
            ApiError::new("ThrottlingException", 429, format!("Rate exceeded: {}", quota.name()))
        }
    }
}
