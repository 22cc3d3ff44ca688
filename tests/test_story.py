"""The whole path of a new device, once for each client and each `aws`."""

import json
import os
import subprocess
import threading
import uuid
from concurrent.futures import Future

import pytest
from awscrt import mqtt as crt_mqtt, mqtt5 as crt_mqtt5
from awsiot import mqtt5_client_builder, mqtt_connection_builder

from support.aws import CLI_V1, CLI_V2, Aws, activate, allow_all, describe, register_ca
from support.broker import PATIENCE, clean_environment, wait_for
from support.mqtt import V5, V311, Client, Closed, mosquitto
from support.pki import Ca


@pytest.fixture
def watcher(broker, account, aws, tmp_path):
    """A device that already works and listens to registrations in the account."""
    ca = Ca(tmp_path / "watcher", f"Watcher of {account.account_id}")
    register_ca(aws, ca)
    device = ca.sign("watcher")
    made = aws.iot("register-certificate", "--certificate-pem", f"file://{device.certificate}", "--status", "ACTIVE")
    aws.iot("attach-policy", "--policy-name", allow_all(aws, "watcher"), "--target", made["certificateArn"])
    with Client(broker, device) as client:
        client.subscribe("$aws/events/certificates/registered/+")
        yield client


def paho(version):
    def use(broker, device):
        with Client(broker, device, version=version) as client:
            assert not client.subscribe("a/b")[0].is_failure
            client.publish("a/b", b"hello")
            assert client.message().payload == b"hello"

    return use


def mosquitto_tools(broker, device):
    received = Future()

    def listen():
        received.set_result(
            mosquitto("mosquitto_sub", broker, device, "-t", "a/b", "-C", 1, "-q", 1, "-W", PATIENCE, "-v", "-i", "sub")
        )

    thread = threading.Thread(target=listen)
    thread.start()
    while not received.done():  # published until the subscriber is there to see one
        sent = mosquitto("mosquitto_pub", broker, device, "-t", "a/b", "-m", "hello", "-q", 1)
        if sent.returncode:
            thread.join()
            raise Closed(sent.stderr)
    thread.join()
    assert received.result().stdout == "a/b hello\n", received.result().stderr


def sdk_mqtt3(broker, device):
    connection = mqtt_connection_builder.mtls_from_path(
        endpoint=broker.host, port=broker.port, cert_filepath=str(device.certificate), pri_key_filepath=str(device.key),
        ca_filepath=broker.ca_file, client_id=f"sdk3-{uuid.uuid4().hex[:8]}", clean_session=True, keep_alive_secs=30,
    )  # fmt: skip
    try:
        connection.connect().result(PATIENCE)
    except Exception as error:
        raise Closed(error) from error
    received = Future()
    subscribed, _ = connection.subscribe("a/b", crt_mqtt.QoS.AT_LEAST_ONCE, lambda topic, payload, **_: received.set_result(payload))
    subscribed.result(PATIENCE)
    connection.publish("a/b", b"hello", crt_mqtt.QoS.AT_LEAST_ONCE)[0].result(PATIENCE)
    assert received.result(PATIENCE) == b"hello"
    connection.disconnect().result(PATIENCE)


def sdk_mqtt5(broker, device):
    connected, stopped, received = Future(), Future(), Future()

    def failed(data):
        if not connected.done():
            connected.set_exception(Closed(data.exception))

    client = mqtt5_client_builder.mtls_from_path(
        endpoint=broker.host, port=broker.port, cert_filepath=str(device.certificate), pri_key_filepath=str(device.key),
        ca_filepath=broker.ca_file, client_id=f"sdk5-{uuid.uuid4().hex[:8]}",
        on_lifecycle_connection_success=lambda data: connected.done() or connected.set_result(data),
        on_lifecycle_connection_failure=failed,
        on_lifecycle_stopped=lambda _: stopped.set_result(None),
        on_publish_received=lambda data: received.set_result(data.publish_packet.payload),
    )  # fmt: skip
    client.start()
    try:
        connected.result(PATIENCE)
        filters = [crt_mqtt5.Subscription(topic_filter="a/b", qos=crt_mqtt5.QoS.AT_LEAST_ONCE)]
        client.subscribe(crt_mqtt5.SubscribePacket(subscriptions=filters)).result(PATIENCE)
        client.publish(crt_mqtt5.PublishPacket(topic="a/b", payload=b"hello", qos=crt_mqtt5.QoS.AT_LEAST_ONCE)).result(PATIENCE)
        assert received.result(PATIENCE) == b"hello"
    finally:
        client.stop()
        stopped.result(PATIENCE)


@pytest.mark.parametrize("cli", [CLI_V1, CLI_V2], ids=["aws-v1", "aws-v2"])
@pytest.mark.parametrize(
    "works",
    [mosquitto_tools, paho(V311), paho(V5), sdk_mqtt3, sdk_mqtt5],
    ids=["mosquitto", "paho-3.1.1", "paho-5", "sdk-mqtt3", "sdk-mqtt5"],
)
def test_a_new_device_registers_itself_and_works_once_activated(broker, account, watcher, ca, works, cli):
    aws = Aws(broker, account, cli)
    ca_id = register_ca(aws, ca)
    device = ca.sign("thermometer-1")

    with pytest.raises(Closed):  # registered, and refused
        works(broker, device)

    event = json.loads(watcher.message().payload)
    assert event["certificateId"] == device.certificate_id
    listed = aws.iot("list-certificates-by-ca", "--ca-certificate-id", ca_id)["certificates"]
    assert [(c["certificateId"], c["status"]) for c in listed] == [(device.certificate_id, "PENDING_ACTIVATION")]

    aws.iot("update-certificate", "--certificate-id", device.certificate_id, "--new-status", "ACTIVE")
    assert describe(aws, device.certificate_id)["status"] == "ACTIVE"
    with pytest.raises(Closed):  # active, without a policy
        works(broker, device)
    entry = wait_for(
        lambda: broker.log_entries(eventType="Connect", status="Failure", principalId=device.certificate_id, reason="AUTHORIZATION_FAILURE"),
        "the log line that explains it",
    )[0]
    assert entry["accountId"] == account.account_id

    activate(aws, device.certificate_id, allow_all(aws))
    works(broker, device)


def test_a_shell_that_sources_tidegate_env_can_use_plain_aws(broker):
    script = f". '{broker.data}/tidegate.env' && '{CLI_V1}' sts get-caller-identity && '{CLI_V1}' iot describe-endpoint --endpoint-type iot:Data-ATS"
    environment = clean_environment() | {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert broker.env["TIDEGATE_ACCOUNT_ID"] in done.stdout
    assert broker.host in done.stdout
