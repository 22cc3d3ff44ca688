"""The shadow clients of the AWS IoT device SDK, both generations, in one conversation about one thing's classic shadow.

    shadow.py v1|v2 HOST PORT CA CERTIFICATE KEY THING

The app's part (a desired state) and the device's (waiting for the delta, reporting) are played by one connection. What happened is
one JSON object on standard output.
"""

import json
import queue
import sys
import uuid

from awscrt import mqtt, mqtt5, mqtt_request_response
from awsiot import ServiceStreamOptions, V2ServiceException, iotshadow, mqtt5_client_builder, mqtt_connection_builder

PATIENCE = 60


def v1(host, port, ca, certificate, key, thing):
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint=host, port=port, cert_filepath=certificate, pri_key_filepath=key, ca_filepath=ca, client_id=f"v1-{uuid.uuid4().hex}"
    )
    connection.connect().result(PATIENCE)
    client, heard = iotshadow.IotShadowClient(connection), queue.Queue()

    def hear(kind):
        return lambda message: heard.put((kind, message))

    qos = mqtt.QoS.AT_LEAST_ONCE
    of_thing = {"thing_name": thing}
    for subscribe, request, kind in [
        (client.subscribe_to_shadow_delta_updated_events, iotshadow.ShadowDeltaUpdatedSubscriptionRequest, "delta"),
        (client.subscribe_to_update_shadow_accepted, iotshadow.UpdateShadowSubscriptionRequest, "updated"),
        (client.subscribe_to_get_shadow_accepted, iotshadow.GetShadowSubscriptionRequest, "got"),
        (client.subscribe_to_get_shadow_rejected, iotshadow.GetShadowSubscriptionRequest, "rejected"),
        (client.subscribe_to_delete_shadow_accepted, iotshadow.DeleteShadowSubscriptionRequest, "deleted"),
    ]:
        subscribe(request(**of_thing), qos, hear(kind))[0].result(PATIENCE)

    def wait(kind):
        while True:
            found, message = heard.get(timeout=PATIENCE)
            if found == kind:
                return message

    client.publish_get_shadow(iotshadow.GetShadowRequest(**of_thing), qos).result(PATIENCE)
    missing = wait("rejected")
    desired = iotshadow.ShadowState(desired={"light": {"on": True}, "level": 3})
    client.publish_update_shadow(iotshadow.UpdateShadowRequest(state=desired, client_token="app", **of_thing), qos).result(PATIENCE)
    first, delta = wait("updated"), wait("delta")
    reported = iotshadow.ShadowState(reported=delta.state)
    client.publish_update_shadow(iotshadow.UpdateShadowRequest(state=reported, version=delta.version, **of_thing), qos).result(PATIENCE)
    wait("updated")
    client.publish_get_shadow(iotshadow.GetShadowRequest(**of_thing), qos).result(PATIENCE)
    got = wait("got")
    client.publish_delete_shadow(iotshadow.DeleteShadowRequest(**of_thing), qos).result(PATIENCE)
    deleted = wait("deleted")
    connection.disconnect().result(PATIENCE)
    return missing, first, delta, got, deleted


def v2(host, port, ca, certificate, key, thing):
    connected = queue.Queue()
    protocol = mqtt5_client_builder.mtls_from_path(
        endpoint=host, port=port, cert_filepath=certificate, pri_key_filepath=key, ca_filepath=ca,
        connect_options=mqtt5.ConnectPacket(client_id=f"v2-{uuid.uuid4().hex}", keep_alive_interval_sec=60),
        on_lifecycle_connection_success=connected.put,
    )  # fmt: skip
    options = mqtt_request_response.ClientOptions(max_request_response_subscriptions=8, max_streaming_subscriptions=4, operation_timeout_in_seconds=PATIENCE)
    client = iotshadow.IotShadowClientV2(protocol, options)
    protocol.start()
    connected.get(timeout=PATIENCE)
    deltas, listening = queue.Queue(), queue.Queue()
    stream = client.create_shadow_delta_updated_stream(
        iotshadow.ShadowDeltaUpdatedSubscriptionRequest(thing_name=thing),
        ServiceStreamOptions(incoming_event_listener=deltas.put, subscription_status_listener=listening.put),
    )
    stream.open()
    listening.get(timeout=PATIENCE)
    try:
        client.get_shadow(iotshadow.GetShadowRequest(thing_name=thing)).result(PATIENCE)
        missing = None
    except V2ServiceException as error:
        missing = error.modeled_error
    desired = iotshadow.ShadowState(desired={"light": {"on": True}, "level": 3})
    first = client.update_shadow(iotshadow.UpdateShadowRequest(thing_name=thing, state=desired)).result(PATIENCE)
    delta = deltas.get(timeout=PATIENCE)
    reported = iotshadow.ShadowState(reported=delta.state)
    client.update_shadow(iotshadow.UpdateShadowRequest(thing_name=thing, state=reported, version=delta.version)).result(PATIENCE)
    got = client.get_shadow(iotshadow.GetShadowRequest(thing_name=thing)).result(PATIENCE)
    deleted = client.delete_shadow(iotshadow.DeleteShadowRequest(thing_name=thing)).result(PATIENCE)
    protocol.stop()
    return missing, first, delta, got, deleted


generation, host, port, *rest = sys.argv[1:]
missing, first, delta, got, deleted = {"v1": v1, "v2": v2}[generation](host, int(port), *rest)
print(
    json.dumps(
        {
            "missing": [missing.code, missing.message],
            "first": [first.version, first.state.desired],
            "delta": [delta.version, delta.state],
            "got": [got.version, got.state.desired, got.state.reported, got.state.delta],
            "deleted": deleted.version,
        }
    )
)
