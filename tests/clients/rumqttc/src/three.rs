//! MQTT 3.1.1.

use anyhow::{Result, bail};
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Outgoing, Packet, QoS, SubscribeReasonCode};
use serde_json::json;

use crate::{Command, Connect, KEEP_ALIVE, REQUESTS_MAX, tell, tell_message};

pub(crate) fn connect(connect: Connect) -> Result<(AsyncClient, EventLoop)> {
    let mut options = MqttOptions::new(&connect.client_id, &connect.host, connect.port);
    options.set_transport(connect.transport()?).set_keep_alive(KEEP_ALIVE).set_clean_session(connect.clean);
    if let Some(will) = connect.will {
        options.set_last_will(LastWill::new(will.topic, will.payload, qos(will.qos)?, will.retain));
    }
    Ok(AsyncClient::new(options, REQUESTS_MAX))
}

/// Tells of everything that happens until the connection ends. It is not tried again.
pub(crate) async fn tell_of(mut events: EventLoop) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(packet)) => tell_packet(packet),
            // QoS 0 has no answer: it is done when it is sent.
            Ok(Event::Outgoing(Outgoing::Publish(0))) => tell("published", json!({})),
            Ok(Event::Outgoing(Outgoing::Disconnect)) => break,
            Ok(Event::Outgoing(_)) => {}
            Err(error) => {
                tell("error", json!({ "why": error.to_string() }));
                break;
            }
        }
    }
    tell("closed", json!({}));
}

fn tell_packet(packet: Packet) {
    match packet {
        Packet::ConnAck(ack) => tell("connected", json!({ "sessionPresent": ack.session_present })),
        Packet::SubAck(ack) => {
            let granted: Vec<u8> = ack.return_codes.iter().map(granted).collect();
            tell("subscribed", json!({ "granted": granted }));
        }
        Packet::UnsubAck(_) => tell("unsubscribed", json!({})),
        Packet::PubAck(_) | Packet::PubComp(_) => tell("published", json!({})),
        Packet::Publish(publish) => {
            tell_message(&publish.topic, &publish.payload, publish.qos as u8, publish.retain);
        }
        _ => {}
    }
}

pub(crate) fn carry_out(client: &AsyncClient, command: Command) -> Result<()> {
    match command {
        Command::Connect(_) => bail!("connected already"),
        Command::Subscribe { filter, qos: wanted } => client.try_subscribe(filter, qos(wanted)?)?,
        Command::Unsubscribe { filter } => client.try_unsubscribe(filter)?,
        Command::Publish { topic, payload, qos: wanted, retain } => {
            client.try_publish(topic, qos(wanted)?, retain, payload)?;
        }
        Command::Disconnect => client.try_disconnect()?,
    }
    Ok(())
}

fn qos(number: u8) -> Result<QoS> {
    Ok(match number {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        2 => QoS::ExactlyOnce,
        other => bail!("there is no QoS {other}"),
    })
}

fn granted(code: &SubscribeReasonCode) -> u8 {
    match code {
        SubscribeReasonCode::Success(qos) => *qos as u8,
        SubscribeReasonCode::Failure => 0x80,
    }
}
