"""`/metrics`, `/healthz`, `/readyz`."""

import contextlib
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from support.aws import Aws, device_of, register_ca
from support.broker import PATIENCE, Broker, wait_for
from support.mqtt import V5, Client, Closed, connect_properties
from support.pki import Ca


def get(broker, path):
    """Status and body."""
    try:
        with urllib.request.urlopen(broker.env["TIDEGATE_METRICS_URL"] + path, timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def figures(broker):
    """Name → value."""
    status, text = get(broker, "/metrics")
    assert status == 200
    rows = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in rows}


def test_figures_of_aws_follow_what_clients_do(tmp_path):
    with Broker(tmp_path / "data", TIDEGATE_METRICS_PORT="0") as broker:
        assert get(broker, "/healthz") == (200, "ok\n")
        assert get(broker, "/readyz") == (200, "ready\n")
        assert get(broker, "/else")[0] == 404
        before = figures(broker)
        assert not any(value for name, value in before.items() if name.startswith("tidegate_publish_"))
        aws, ca = Aws(broker), Ca(tmp_path / "pki", "Metrics CA")
        register_ca(aws, ca)
        device = device_of(aws, ca)
        with pytest.raises(Closed):
            Client(broker, ca.sign("new")).connect()
        with Client(broker, device, "one", V5) as client:
            client.subscribe("t")
            client.publish("t", b"x")
            client.message()
            client.unsubscribe("t")
            wait_for(lambda: figures(broker)["tidegate_unsubscribe_success_total"] == 1, "the figures of the core")
            found = figures(broker)
        for name, value in {
            "connect_success_total": 1,
            "connection_authn_error_total": 1,
            "publish_in_success_total": 1,
            "publish_out_success_total": 1,
            "subscribe_success_total": 1,
            "connections": 1,
            "certificates": 2,
            "ca_certificates": 1,
        }.items():
            assert found[f"tidegate_{name}"] == value, name
        document = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iot:Publish","Resource":"*"}]}'
        aws.iot("create-policy", "--policy-name", "no", "--policy-document", document)
        arn = f"arn:aws:iot:{aws.region}:{aws.account.account_id}:cert/{device.certificate_id}"
        aws.iot("attach-policy", "--policy-name", "no", "--target", arn)
        with Client(broker, device, "two", V5) as client:
            assert client.publish("t").is_failure
        wait_for(lambda: figures(broker)["tidegate_publish_in_auth_error_total"] == 1, "the refused publish")


def test_figures_of_retained_and_queued_messages_of_shadows_and_of_clients_that_come_too_often(tmp_path):
    config = '[[mqtt.listener]]\nname = "aws"\naddress = "127.0.0.1"\nport = 0\nprofile = "aws"\n'
    with Broker(tmp_path / "data", config, TIDEGATE_METRICS_PORT="0") as broker:
        aws, ca = Aws(broker), Ca(tmp_path / "pki", "Figures CA")
        register_ca(aws, ca)
        device = device_of(aws, ca)
        with Client(broker, device, "away", V5, clean=False, properties=connect_properties(SessionExpiryInterval=600)) as away:
            away.subscribe("queued", 1)
        with Client(broker, device, "sends", V5) as client:
            client.publish("retained", b"x", retain=True)
            client.publish("queued", b"x", 1)
            client.publish("queued", b"y", 1)
        data = aws.boto3("iot-data")
        data.publish(topic="retained", retain=True, payload=b"y")
        data.update_thing_shadow(thingName="t", payload=b'{"state": {}}')
        for _ in range(2):
            data.get_thing_shadow(thingName="t")
        data.delete_thing_shadow(thingName="t")
        with pytest.raises(data.exceptions.ResourceNotFoundException):
            data.get_thing_shadow(thingName="t")

        class AwsManners:
            env, host, port, ca_file = broker.env, broker.host, broker.aws_port, broker.ca_file

        def throttled():
            with contextlib.suppress(Closed), Client(AwsManners, device, "hasty"), Client(AwsManners, device, "hasty"):
                pass
            return figures(broker)["tidegate_connect_client_id_throttle_total"]

        wait_for(throttled, "a client id that came too often")
        expected = {
            "publish_retained_success_total": 2,
            "queued_success_total": 2,
            "get_thing_shadow_accepted_total": 2,
            "update_thing_shadow_accepted_total": 1,
            "delete_thing_shadow_accepted_total": 1,
            "connect_throttle_total": 0,
        }
        wait_for(lambda: {name: figures(broker)[f"tidegate_{name}"] for name in expected} == expected, "the figures")


def test_nobody_listens_unless_asked(broker):
    assert "TIDEGATE_METRICS_URL" not in broker.env


def test_a_disk_that_is_stuck_makes_it_unready_until_it_moves_again(tmp_path):
    stuck = tmp_path / "stuck"
    with Broker(tmp_path / "data", TIDEGATE_METRICS_PORT="0", TIDEGATE_FAULT_STUCK_DISK=str(stuck)) as broker:
        aws, ca = Aws(broker), Ca(tmp_path / "pki", "Stuck CA")
        register_ca(aws, ca)
        device = device_of(aws, ca)
        api = urllib3.PoolManager(ca_certs=broker.ca_file)

        def ready():
            """Of the metrics' port, and of the API's."""
            return get(broker, "/readyz")[0], api.request("GET", broker.env["TIDEGATE_API_URL"] + "/readyz", retries=False).status

        with Client(broker, device, "live", V5) as client, ThreadPoolExecutor(1) as waiting:
            client.subscribe("t", 0)
            assert ready() == (200, 200)
            stuck.touch()
            written = waiting.submit(aws.boto3().create_thing, thingName="waits")
            wait_for(lambda: ready() == (503, 503), "a commit to have taken too long")
            status, why = get(broker, "/readyz")
            assert (status, "a commit has taken" in why) == (503, True), why
            assert get(broker, "/healthz") == (200, "ok\n") and figures(broker)["tidegate_commit_seconds"] >= 5
            client.publish("t", b"goes on", 0)
            assert client.message().payload == b"goes on"
            assert aws.boto3().list_things()["things"] == [] and not written.done()
            stuck.unlink()
            assert written.result(PATIENCE)["thingName"] == "waits"
            wait_for(lambda: ready() == (200, 200), "the broker to be ready again")
