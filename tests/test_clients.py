"""Real client libraries, unmodified: mqtt.js, rumqttc and the AWS IoT device SDK, in both versions of MQTT."""

import contextlib
import uuid

import pytest

from support.aws import Aws, activate, allow_all, register_ca
from support.broker import Broker
from support.mqtt import V5, V311, Client, Closed
from support.pki import Ca
from support.programs import KINDS, Program

#: Makes an X.509 v3 certificate: rustls, and with it rumqttc, has no use for v1.
V3 = "basicConstraints=CA:FALSE\n"
EVERY = pytest.mark.parametrize("kind", KINDS, ids=str)


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("clients") / "data", "[mqtt]\nwebsocket = true\n") as running:
        yield running


@pytest.fixture(scope="module")
def aws(broker):
    """The `aws` CLI in the account that all tests of this file share."""
    return Aws(broker, broker.create_account())


@pytest.fixture(scope="module")
def ca(aws, tmp_path_factory):
    made = Ca(tmp_path_factory.mktemp("clients"), f"Test CA {uuid.uuid4().hex}")
    register_ca(aws, made)
    allow_all(aws)
    return made


@pytest.fixture(scope="module")
def device(aws, ca):
    made = ca.sign("client", extensions=V3)
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    activate(aws, made.certificate_id, "everything")
    return made


@pytest.fixture
def room():
    """A topic level of this test alone."""
    return uuid.uuid4().hex


def plain(message):
    """Topic, payload, QoS and RETAIN of a message of any client."""
    if isinstance(message, dict):
        return message["topic"], message["payload"], message["qos"], message["retain"]
    return message.topic, message.payload.decode(), message.qos, message.retain


@EVERY
def test_a_certificate_opens_the_door_only_when_it_is_active(broker, aws, ca, room, kind):
    made = ca.sign("newcomer", extensions=V3)
    with pytest.raises(Closed), Program(kind, broker, made):
        pass
    activate(aws, made.certificate_id, "everything")
    with Program(kind, broker, made) as client:
        assert not client.session_present
        client.subscribe(room)
        client.publish(room, "hello")
        assert plain(client.message()) == (room, "hello", 1, False)


@EVERY
def test_every_qos_crosses_to_the_other_version_and_back(broker, device, room, kind):
    other_version = V311 if kind.version == 5 else V5
    with Program(kind, broker, device) as client, Client(broker, device, version=other_version) as other:
        for qos in range(kind.qos_max + 1):
            to_client, to_other = f"{room}/client/{qos}", f"{room}/other/{qos}"
            assert client.subscribe(to_client, qos) == [qos]
            other.subscribe(to_other, qos)
            for number in range(20):
                client.publish(to_other, f"é {number}", qos)
                other.publish(to_client, f"ü {number}".encode(), qos)
            assert [plain(other.message()) for _ in range(20)] == [(to_other, f"é {n}", qos, False) for n in range(20)]
            assert [plain(client.message()) for _ in range(20)] == [(to_client, f"ü {n}", qos, False) for n in range(20)]
        assert client.silent() and other.silent()


@EVERY
def test_retained_messages_greet_it_until_it_deletes_them(broker, device, room, kind):
    with Program(kind, broker, device) as client:
        client.publish(f"{room}/a", "kept", retain=True)
        client.publish(f"{room}/b", "kept too", retain=True)
        client.subscribe(f"{room}/+")
        greetings = sorted(plain(client.message()) for _ in range(2))
        assert greetings == [(f"{room}/a", "kept", 1, True), (f"{room}/b", "kept too", 1, True)]
        client.unsubscribe(f"{room}/+")
        for topic, *_ in greetings:
            client.publish(topic, "", retain=True)
        client.subscribe(f"{room}/#")
        assert client.silent()


@EVERY
def test_its_will_is_published_unless_it_says_goodbye(broker, device, room, kind):
    with Client(broker, device, version=V5) as watcher:
        watcher.subscribe(f"{room}/#")
        for end in ("drop", "close"):
            will = {"topic": f"{room}/{end}", "payload": "gone", "qos": 1, "retain": False}
            client = Program(kind, broker, device, will=will).connect()
            getattr(client, end)()
            if end == "drop":
                assert plain(watcher.message()) == (f"{room}/drop", "gone", 1, False)
        assert watcher.silent()


@EVERY
def test_a_kept_session_is_resumed_with_what_it_missed(broker, device, room, kind):
    with Program(kind, broker, device, room, clean=False) as sleeper:
        assert not sleeper.session_present
        sleeper.subscribe(room, kind.qos_max)
    with Client(broker, device) as publisher:
        for number in range(5):
            publisher.publish(room, str(number).encode(), kind.qos_max)
    with Program(kind, broker, device, room, clean=False) as again:
        assert again.session_present
        assert [plain(again.message()) for _ in range(5)] == [(room, str(n), kind.qos_max, False) for n in range(5)]
        assert again.silent()
    with Program(kind, broker, device, room) as fresh:
        assert not fresh.session_present


def test_every_client_hears_every_other(broker, device, room):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Program(kind, broker, device)) for kind in KINDS]
        for client in clients:
            client.subscribe(room)
        for client in clients:
            client.publish(room, str(client.kind))
        for client in clients:
            assert [client.message()["payload"] for _ in clients] == [str(kind) for kind in KINDS]
