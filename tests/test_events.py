"""What the broker itself says: lifecycle events and `$SYS`, heard by mosquitto_sub."""

import contextlib
import json
import subprocess
import uuid

import pytest

from support.aws import Aws, device_of, register_ca
from support.broker import wait_for
from support.mqtt import V5, Client, Closed, mosquitto_command
from support.pki import Ca


@pytest.fixture(scope="module")
def aws(broker):
    return Aws(broker, broker.create_account())


@pytest.fixture(scope="module")
def ca(aws, tmp_path_factory):
    made = Ca(tmp_path_factory.mktemp("events-ca"), f"Test CA {uuid.uuid4().hex}")
    register_ca(aws, made)
    return made


@pytest.fixture(scope="module")
def device(aws, ca):
    return device_of(aws, ca, "watched")


@contextlib.contextmanager
def listening(broker, device, tmp_path, *arguments):
    """mosquitto_sub while the block runs; gives a function that returns its topics and payloads so far."""
    out = tmp_path / f"{uuid.uuid4().hex}.out"
    command = ["stdbuf", "-oL", *mosquitto_command("mosquitto_sub", broker, device, "-v", "-d", "-q", 1, *arguments)]
    with out.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file) as process:
        try:
            wait_for(lambda: "Subscribed" in out.read_text(), "SUBACK")

            def heard():
                lines = [line for line in out.read_text().split("\n")[:-1] if line.startswith("$")]
                return [tuple(line.split(" ", 1)) for line in lines]

            yield heard
        finally:
            process.kill()


def test_presence_and_subscriptions_are_announced_as_aws_does(broker, device, tmp_path):
    client_id = f"w-{uuid.uuid4().hex[:8]}"
    topics = ["-t", f"$aws/events/presence/+/{client_id}", "-t", f"$aws/events/subscriptions/+/{client_id}"]
    with listening(broker, device, tmp_path, *topics) as heard:
        for count, farewell in ((4, "close"), (8, "drop")):
            client = Client(broker, device, client_id=client_id, version=V5).connect()
            client.subscribe("a/b", 1)
            client.unsubscribe("a/b")
            getattr(client, farewell)()
            wait_for(lambda: len(heard()) == count, "the event of the end")
        events = [(topic, json.loads(payload)) for topic, payload in heard()]
    kinds = ["presence/connected", "subscriptions/subscribed", "subscriptions/unsubscribed", "presence/disconnected"]
    assert [topic for topic, _ in events] == [f"$aws/events/{kind}/{client_id}" for kind in kinds] * 2
    always = {"clientId", "timestamp", "eventType", "sessionIdentifier", "principalIdentifier"}
    ended = {"clientInitiatedDisconnect", "disconnectReason", "versionNumber"}
    members = [{"ipAddress", "versionNumber"}, {"topics"}, {"topics"}, ended] * 2
    for (topic, event), more in zip(events, members, strict=True):
        assert set(event) == always | more, topic
        assert event["principalIdentifier"] == device.certificate_id and type(event["timestamp"]) is int
    assert [event["versionNumber"] for _, event in events if "versionNumber" in event] == [0, 0, 1, 1]
    assert [event["topics"] for _, event in events if "topics" in event] == [["a/b"]] * 4
    ends = [(e["clientInitiatedDisconnect"], e["disconnectReason"]) for _, e in events if "disconnectReason" in e]
    assert ends == [(True, "CLIENT_INITIATED_DISCONNECT"), (False, "CONNECTION_LOST")]
    assert len({event["sessionIdentifier"] for _, event in events[:4]}) == 1


def test_who_may_not_connect_is_announced(broker, aws, ca, device, tmp_path):
    stranger = ca.sign("without policies")
    aws.iot("register-certificate", "--certificate-pem", f"file://{stranger.certificate}", "--status", "ACTIVE")
    client_id = f"w-{uuid.uuid4().hex[:8]}"
    with listening(broker, device, tmp_path, "-t", f"$aws/events/presence/+/{client_id}") as heard:
        with pytest.raises(Closed):
            Client(broker, stranger, client_id=client_id).connect()
        wait_for(heard, "the event")
        [(topic, payload)] = heard()
    event = json.loads(payload)
    assert topic == f"$aws/events/presence/connect_failed/{client_id}"
    assert event["connectFailureReason"] == "AUTHORIZATION_FAILED" and event["ipAddress"] == "127.0.0.1"
    assert event["principalIdentifier"] == stranger.certificate_id


def test_figures_of_the_process_are_in_the_first_account_only(broker, device, tmp_path):
    aws = Aws(broker, broker.first_account)
    operators = Ca(tmp_path / "operators", f"Operators' CA {uuid.uuid4().hex}")
    register_ca(aws, operators)
    operator = device_of(aws, operators, "operator")
    names = "version uptime clients/connected clients/total messages/received messages/sent bytes/received bytes/sent"
    names += " subscriptions/count retained/count load/messages/1min heap/current"
    wanted = {f"$SYS/broker/{name}" for name in names.split()}
    with (
        listening(broker, device, tmp_path, "-t", "$SYS/#") as heard_elsewhere,
        listening(broker, operator, tmp_path, "-t", "$SYS/#") as heard,
    ):
        wait_for(lambda: wanted <= {topic for topic, _ in heard()}, "all topics")
        figures = dict(heard())
        assert heard_elsewhere() == []
    assert figures["$SYS/broker/version"].startswith("tidegate version ")
    assert figures["$SYS/broker/uptime"].endswith(" seconds")
    others = [float(value) for name, value in figures.items() if not name.endswith(("version", "uptime"))]
    assert all(value >= 0 for value in others)
