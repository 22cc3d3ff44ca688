"""Plain MQTT behaviour over the wire, with a certificate that may do everything."""

import time

import pytest

from support.aws import activate, allow_all, register_ca
from support.mqtt import V5, V311, Client, answer, connect_packet, connect_properties, properties, tls_socket

BOTH = pytest.mark.parametrize("version", [V311, V5], ids=["3.1.1", "5"])


@pytest.fixture
def device(aws, ca):
    register_ca(aws, ca)
    made = ca.sign("all")
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    activate(aws, made.certificate_id, allow_all(aws))
    return made


@BOTH
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_of_every_qos_arrive_once_and_in_order(broker, device, version, qos):
    with Client(broker, device, version=version) as subscriber, Client(broker, device, version=version) as publisher:
        subscriber.subscribe("a/+/c", qos)
        sent = [publisher.paho.publish("a/b/c", str(number).encode(), qos) for number in range(100)]
        sent[-1].wait_for_publish(30)
        received = [subscriber.message() for _ in range(100)]
        assert [int(m.payload) for m in received] == list(range(100))
        assert {m.qos for m in received} == {qos}
        assert subscriber.silent()


def test_versions_meet_with_the_properties_that_can_cross(broker, device):
    with Client(broker, device, version=V5) as five, Client(broker, device) as three:
        five.subscribe("x")
        three.subscribe("x")
        five.publish("x", b"p", properties=properties(ContentType="text/plain", UserProperty=[("a", "b")], MessageExpiryInterval=60))
        message = five.message()
        assert message.properties.ContentType == "text/plain" and message.properties.UserProperty == [("a", "b")]
        assert 0 < message.properties.MessageExpiryInterval <= 60
        assert three.message().payload == b"p"
        three.publish("x", b"q")
        assert five.message().payload == b"q"


@BOTH
def test_retained_messages_greet_new_subscriptions_until_deleted(broker, device, version):
    with Client(broker, device, version=version) as client:
        client.publish("r/a", b"kept", retain=True)
        client.publish("r/b", b"kept too", retain=True)
        client.publish("r/a", b"", retain=False)  # does not delete
        client.subscribe("r/+")
        got = {m.topic: (m.payload, m.retain) for m in (client.message(), client.message())}
        assert got == {"r/a": (b"kept", True), "r/b": (b"kept too", True)}
        client.unsubscribe("r/+")
        for topic in got:
            client.publish(topic, b"", retain=True)
        client.subscribe("r/#")
        assert client.silent()


@BOTH
def test_a_second_client_of_the_same_id_takes_over(broker, device, version):
    first = Client(broker, device, "twin", version).connect()
    with Client(broker, device, "twin", version) as second:
        reason = first.wait_closed()
        if version == V5:
            assert reason.value == 0x8E
        second.publish("t", b"alive")


@BOTH
def test_the_will_is_published_unless_the_client_says_goodbye(broker, device, version):
    with Client(broker, device, version=version) as watcher:
        watcher.subscribe("will/#")
        for end, expected in (("drop", True), ("close", False)):
            client = Client(broker, device, version=version)
            client.paho.will_set(f"will/{end}", b"gone", 1)
            client.connect()
            getattr(client, end)()
            if expected:
                assert watcher.message().topic == f"will/{end}"
            else:
                assert watcher.silent()


def test_a_silent_client_is_closed_after_one_and_a_half_keep_alives(broker, device):
    with tls_socket(broker, device) as sock:
        sock.sendall(connect_packet("silent", keep_alive=2))
        assert answer(sock) == b"\x20\x02\x00\x00"
        since = time.monotonic()
        sock.settimeout(30)
        assert answer(sock) == b""
        assert time.monotonic() - since > 2.5


@BOTH
def test_a_session_that_is_kept_gets_what_it_missed(broker, device, version):
    options = {"properties": connect_properties(SessionExpiryInterval=600)} if version == V5 else {}
    sleeper = Client(broker, device, "sleeper", version, clean=False, **options).connect()
    sleeper.subscribe("news", 1)
    sleeper.close()
    with Client(broker, device, version=version) as publisher:
        for number in range(5):
            publisher.publish("news", str(number).encode())
    again = Client(broker, device, "sleeper", version, clean=False, **options).connect()
    assert again.session_present
    assert [int(again.message().payload) for _ in range(5)] == list(range(5))
    again.close()
    fresh = Client(broker, device, "sleeper", version, clean=True).connect()
    assert not fresh.session_present
    fresh.close()


def test_a_large_message_arrives_whole(broker, device):
    payload = bytes(range(256)) * 400
    with Client(broker, device) as client:
        client.subscribe("big")
        client.publish("big", payload)
        assert client.message().payload == payload


@pytest.mark.parametrize(
    "packet",
    [b"\x00\x00", b"\xf0\x00", b"\x30\x01\x00", b"\x36\x05\x00\x01a\x00\x01", b"\xc1\x00", b"\x82\x02\x00\x01", b"\x20\x02\x00\x00", b"\x10\xff\xff\xff\xff\x01"],
    ids=["type 0", "type 15", "short PUBLISH", "QoS 3", "PINGREQ with flags", "SUBSCRIBE with nothing", "a server's packet", "a length of five bytes"],
)
def test_a_wrong_packet_costs_its_connection_and_nothing_else(broker, device, packet):
    with Client(broker, device) as bystander:
        with tls_socket(broker, device) as sock:
            sock.sendall(connect_packet("rude"))
            assert answer(sock) == b"\x20\x02\x00\x00"
            sock.sendall(packet)
            assert answer(sock) == b""
        with tls_socket(broker, device) as sock:
            sock.sendall(packet)
            assert answer(sock) == b""
        bystander.publish("still/there", b"x")


def test_the_user_name_of_the_sdks_is_ignored(broker, device):
    client = Client(broker, device)
    client.paho.username_pw_set("?SDK=Python&Version=1.4.9")
    with client:
        client.publish("t", b"x")
