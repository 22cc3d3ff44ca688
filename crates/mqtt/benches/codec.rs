//! The cost of a PUBLISH: read, written, forwarded. 24 bytes of topic name, 64 of payload, as in `docs` and the facts.

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::num::NonZeroU16;
use tidegate_mqtt::{
    Ack, Delivery, Message, MessageProperties, Packet, PacketType, Patch, PayloadFormat, Peer, Publish, PublishImage,
    QoS, ReasonCode, Version, decode, topic,
};

const TOPIC_NAME: &str = "fleet/eu/device-0042/tmp";
const PAYLOAD: &[u8] = &[b'x'; 64];
const PAIRS: &[(&str, &str)] = &[("trace", "0af7651916cd43dd8448eb211c80319c")];

fn publish(properties: MessageProperties<'static>) -> Publish<'static> {
    Publish { qos: QoS::AtLeastOnce, packet_id: NonZeroU16::new(7), properties, ..Publish::new(TOPIC_NAME, PAYLOAD) }
}

fn three_properties() -> MessageProperties<'static> {
    MessageProperties {
        payload_format: Some(PayloadFormat::Utf8),
        message_expiry_seconds: Some(60),
        user_properties: PAIRS.into(),
        ..Default::default()
    }
}

fn codec(c: &mut Criterion) {
    let plain = MessageProperties::default();
    for (name, version, properties) in
        [("v4", Version::V4, plain), ("v5", Version::V5, plain), ("v5+3", Version::V5, three_properties())]
    {
        let publish = publish(properties);
        let mut packet = Vec::new();
        publish.encode(version, &mut packet).expect("valid");
        c.bench_function(&format!("decode PUBLISH {name}"), |b| {
            b.iter(|| match decode(black_box(&packet), version, Peer::Client) {
                Ok(Packet::Publish(publish)) => publish.payload.len(),
                other => panic!("{other:?}"),
            });
        });
        let mut out = Vec::with_capacity(1024);
        c.bench_function(&format!("encode PUBLISH {name}"), |b| {
            b.iter(|| {
                out.clear();
                black_box(&publish).encode(version, &mut out).expect("valid");
                out.len()
            });
        });
        c.bench_function(&format!("message of PUBLISH {name}"), |b| {
            b.iter(|| Message::new(TOPIC_NAME, black_box(&properties), PAYLOAD).expect("valid"));
        });
        let message = Message::new(TOPIC_NAME, &properties, PAYLOAD).expect("valid");
        let delivery = Delivery { qos: QoS::AtLeastOnce, packet_id: NonZeroU16::new(9), ..Delivery::new(version) };
        c.bench_function(&format!("append message {name}"), |b| {
            b.iter(|| {
                out.clear();
                message.append(black_box(&delivery), &mut out).expect("fits");
                out.len()
            });
        });
        let image = PublishImage::new(&message, version, true).expect("fits");
        let patch = Patch {
            qos: QoS::AtLeastOnce,
            packet_id: NonZeroU16::new(9),
            message_expiry_seconds: Some(30),
            ..Patch::default()
        };
        c.bench_function(&format!("append image {name}"), |b| {
            b.iter(|| {
                out.clear();
                image.append(black_box(patch), &mut out).expect("goes together");
                out.len()
            });
        });
    }
    let mut out = Vec::with_capacity(1024);
    c.bench_function("decode PUBACK v5", |b| {
        b.iter(|| match decode(black_box(b"\x40\x02\x00\x07"), Version::V5, Peer::Client) {
            Ok(Packet::PubAck(ack)) => ack.packet_id,
            other => panic!("{other:?}"),
        });
    });
    c.bench_function("encode PUBACK v5", |b| {
        let ack = Ack::new(NonZeroU16::MIN, ReasonCode::Success);
        b.iter(|| {
            out.clear();
            black_box(&ack).encode(PacketType::PubAck, Version::V5, &mut out).expect("valid");
            out.len()
        });
    });
    c.bench_function("match a filter", |b| {
        b.iter(|| topic::matches(black_box("fleet/+/device-0042/#"), black_box(TOPIC_NAME)));
    });
}

criterion_group!(benches, codec);
criterion_main!(benches);
