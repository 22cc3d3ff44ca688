//! The MQTT broker: sessions, subscriptions, retained and will messages, routing; packets in, effects out.
