"""The AWS IoT device SDK, told what to do by JSON lines on standard input; what happens is told by JSON lines on standard
output. The commands and events are described in tests/support/programs.py."""

import json
import sys
import threading

from awscrt import auth, http, mqtt, mqtt5
from awsiot import mqtt5_client_builder, mqtt_connection_builder

PATIENCE = 60
output = threading.Lock()


def tell(event, **more):
    with output:
        print(json.dumps({"event": event} | more), flush=True)


def once(future, event, **more):
    """Tells of the future's end when it comes; `more` are functions of its result."""

    def done(future):
        error = future.exception()
        if error:
            tell("error", why=str(error))
        else:
            tell(event, **{name: member(future.result()) for name, member in more.items()})

    future.add_done_callback(done)


def way(builder, certificate, key, signed):
    """The function that builds a client, and the arguments that say who it is: a certificate, or who signs."""
    if not signed:
        return builder.mtls_from_path, {"cert_filepath": certificate, "pri_key_filepath": key}
    provider = auth.AwsCredentialsProvider.new_static(signed["accessKeyId"], signed["secretAccessKey"], signed["sessionToken"])
    return builder.websockets_with_default_aws_signing, {"region": signed["region"], "credentials_provider": provider}


def through(proxy):
    """The arguments that say which HTTP proxy to go through."""
    return {"http_proxy_options": http.HttpProxyOptions(proxy["host"], proxy["port"])} if proxy else {}


class Mqtt3:
    """`awscrt.mqtt.Connection`."""

    def connect(self, host, port, ca, certificate, key, clientId, clean, will, signed=None, proxy=None, **_):
        last = will and mqtt.Will(will["topic"], mqtt.QoS(will["qos"]), will["payload"].encode(), will["retain"])
        build, identity = way(mqtt_connection_builder, certificate, key, signed)
        self.connection = build(
            endpoint=host, port=port, **identity, **through(proxy), ca_filepath=ca, client_id=clientId,
            clean_session=clean, will=last, keep_alive_secs=60,
            on_connection_interrupted=lambda **_: tell("closed"), on_connection_closed=lambda **_: tell("closed"),
        )  # fmt: skip
        self.connection.on_message(self.received)
        once(self.connection.connect(), "connected", sessionPresent=lambda result: result["session_present"])

    @staticmethod
    def received(topic, payload, qos, retain, **_):
        tell("message", topic=topic, payload=payload.decode(), qos=int(qos), retain=retain)

    def subscribe(self, filter, qos):
        once(self.connection.subscribe(filter, mqtt.QoS(qos))[0], "subscribed", granted=lambda result: [int(result["qos"])])

    def unsubscribe(self, filter):
        once(self.connection.unsubscribe(filter)[0], "unsubscribed")

    def publish(self, topic, payload, qos, retain):
        once(self.connection.publish(topic, payload.encode(), mqtt.QoS(qos), retain)[0], "published")

    def disconnect(self):
        once(self.connection.disconnect(), "closed")


class Mqtt5:
    """`awscrt.mqtt5.Client`."""

    def connect(self, host, port, ca, certificate, key, clientId, clean, expiry, will, signed=None, proxy=None, **_):
        last = will and mqtt5.PublishPacket(
            topic=will["topic"], qos=mqtt5.QoS(will["qos"]), payload=will["payload"].encode(), retain=will["retain"]
        )
        behavior = mqtt5.ClientSessionBehaviorType
        build, identity = way(mqtt5_client_builder, certificate, key, signed)
        self.client = build(
            endpoint=host, port=port, **identity, **through(proxy), ca_filepath=ca,
            connect_options=mqtt5.ConnectPacket(client_id=clientId, session_expiry_interval_sec=expiry, will=last, keep_alive_interval_sec=60),
            session_behavior=behavior.CLEAN if clean else behavior.REJOIN_ALWAYS,
            on_lifecycle_connection_success=lambda data: tell("connected", sessionPresent=data.connack_packet.session_present),
            on_lifecycle_connection_failure=self.failed,
            on_lifecycle_disconnection=lambda _: tell("closed"),
            on_publish_received=lambda data: self.received(data.publish_packet),
        )  # fmt: skip
        self.client.start()

    def failed(self, data):
        self.client.stop()  # it would try again for ever
        tell("error", why=str(data.exception))

    @staticmethod
    def received(packet):
        tell("message", topic=packet.topic, payload=(packet.payload or b"").decode(), qos=int(packet.qos), retain=packet.retain)

    def subscribe(self, filter, qos):
        packet = mqtt5.SubscribePacket(subscriptions=[mqtt5.Subscription(topic_filter=filter, qos=mqtt5.QoS(qos))])
        once(self.client.subscribe(packet), "subscribed", granted=lambda suback: [int(code) for code in suback.reason_codes])

    def unsubscribe(self, filter):
        once(self.client.unsubscribe(mqtt5.UnsubscribePacket(topic_filters=[filter])), "unsubscribed")

    def publish(self, topic, payload, qos, retain):
        packet = mqtt5.PublishPacket(topic=topic, payload=payload.encode(), qos=mqtt5.QoS(qos), retain=retain)
        once(self.client.publish(packet), "published")

    def disconnect(self):
        self.client.stop(mqtt5.DisconnectPacket())  # without it, no DISCONNECT is sent


client = None
for line in sys.stdin:
    options = json.loads(line)
    command = options.pop("command")
    if command == "connect":
        client = Mqtt5() if options["version"] == 5 else Mqtt3()
    getattr(client, command)(**options)
