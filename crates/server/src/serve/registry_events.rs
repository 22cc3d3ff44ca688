//! Registry events on their way to subscribers.
//!
//! AWS: developer guide, "Registry events"; best effort: what is committed when the process dies may not be told.

use std::sync::Arc;

use tidegate_broker::{Broker, Effects, SystemPublish};
use tidegate_ids::Clock;
use tidegate_mqtt::{MessageProperties, QoS};
use tidegate_registry::{Registry, ResourceId};

use super::chance;

/// Publishes what accounts have switched on.
pub(super) fn publish(registry: &Registry, broker: &Arc<Broker>, clock: &Arc<dyn Clock>) {
    let (broker, clock) = (Arc::clone(broker), Arc::clone(clock));
    registry.on_event(move |event| {
        let now = clock.now();
        let event_id = ResourceId::from_random(chance::random());
        let payload = event.json(event_id.as_str(), now.wall);
        let publish = SystemPublish {
            tenant: event.tenant,
            topic_name: &event.topic,
            properties: MessageProperties::default(),
            payload: payload.as_bytes(),
            qos: QoS::AtLeastOnce,
            retain: false,
        };
        let mut effects = Effects::outside();
        broker.publish(&publish, now, &mut effects);
        broker.hand_over(&mut effects);
    });
}
