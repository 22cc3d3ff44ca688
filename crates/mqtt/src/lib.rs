//! MQTT 3.1.1 and 5.0: packets, topic names and filters, reason codes; bytes to types and back.
