"""Connects by a custom authorizer with the AWS IoT device SDK, publishes, and says so: options as JSON in the first argument."""

import json
import sys
from concurrent.futures import Future

from awscrt import mqtt, mqtt5
from awsiot import mqtt5_client_builder, mqtt_connection_builder

options = json.loads(sys.argv[1])
version, transport = options.pop("version"), options.pop("transport")
topic = f"own/{options['client_id']}/a"
PATIENCE = 60


def over_311():
    connection = mqtt_connection_builder.websockets_with_custom_authorizer(**options)
    connection.connect().result(PATIENCE)
    connection.publish(topic, b"from the SDK", mqtt.QoS.AT_LEAST_ONCE)[0].result(PATIENCE)
    connection.disconnect().result(PATIENCE)


def over_5():
    build = {"tls": mqtt5_client_builder.direct_with_custom_authorizer, "wss": mqtt5_client_builder.websockets_with_custom_authorizer}
    connected, stopped = Future(), Future()
    client = build[transport](
        on_lifecycle_connection_success=lambda data: connected.set_result(None),
        on_lifecycle_connection_failure=lambda data: connected.set_exception(data.exception),
        on_lifecycle_stopped=lambda data: stopped.set_result(None),
        **options,
    )
    client.start()
    connected.result(PATIENCE)
    publish = mqtt5.PublishPacket(topic=topic, payload=b"from the SDK", qos=mqtt5.QoS.AT_LEAST_ONCE)
    client.publish(publish).result(PATIENCE)
    client.stop()
    stopped.result(PATIENCE)


{4: over_311, 5: over_5}[version]()
print("published")
