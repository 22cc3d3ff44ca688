"""MQTT over WebSocket: paho, with TLS and without, and requests that are none."""

import socket

import pytest

from support.aws import Aws, device_of, register_ca
from support.broker import Broker
from support.mqtt import V5, V311, Client, tls_socket
from support.pki import Ca

CONFIG = """
[mqtt]
websocket = true
[[mqtt.listener]]
name = "plain"
address = "127.0.0.1"
port = 0
transport = "plain"
websocket = true
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("websocket") / "data", CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def device(broker, tmp_path_factory):
    aws, ca = Aws(broker), Ca(tmp_path_factory.mktemp("websocket-ca"))
    register_ca(aws, ca)
    return device_of(aws, ca)


def plain_socket(broker):
    return socket.create_connection(("127.0.0.1", int(broker.env["TIDEGATE_MQTT_LISTENER_PLAIN_PORT"])), 30)


def everything(sock):
    """What comes until the end."""
    return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("version", [V311, V5], ids=["3.1.1", "5"])
@pytest.mark.parametrize("large", [1, 100_000])
def test_paho_speaks_mqtt_over_websocket_and_meets_others(broker, device, version, large):
    web = Client(broker, device, version=version, transport="websockets")
    with web, Client(broker, device, version=version) as other:
        for qos in (0, 1, 2):
            web.subscribe(f"to/web/{qos}", qos)
            other.subscribe(f"to/other/{qos}", qos)
            payload = bytes([qos]) * large
            web.publish(f"to/other/{qos}", payload, qos)
            assert other.message().payload == payload
            other.publish(f"to/web/{qos}", payload, qos)
            assert web.message().payload == payload
        web.publish("kept", b"x", retain=True)
        web.subscribe("kept")
        assert web.message().retain
        web.publish("kept", b"", retain=True)


def test_the_will_of_a_websocket_that_breaks_is_published(broker, device):
    with Client(broker, device) as other:
        other.subscribe("will")
        web = Client(broker, device, transport="websockets")
        web.paho.will_set("will", b"gone", 1)
        web.connect().drop()
        assert other.message().payload == b"gone"


@pytest.mark.parametrize("secure", [True, False], ids=["tls", "plain"])
def test_other_requests_get_a_clean_answer(broker, device, secure):
    for request, expected in [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404 "),
        (b"GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 426 "),
        (b"POST /topics/a?qos=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", b"HTTP/1.1 404 "),
        (b"GET /mqtt HTTP/1.1\r\n" + b"a" * 9000, b"HTTP/1.1 431 "),
    ]:
        with tls_socket(broker, device) if secure else plain_socket(broker) as sock:
            sock.sendall(request)
            answer = everything(sock)
        assert answer.startswith(expected) and b"Connection: close" in answer, answer


def test_a_websocket_that_breaks_the_rules_is_told(broker):
    with plain_socket(broker) as sock:
        sock.sendall(
            b"GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqttv3.1\r\n\r\n"
            b"\x82\x01\x10"  # not masked
        )
        head, _, rest = everything(sock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ") and b"Sec-WebSocket-Protocol: mqttv3.1" in head
    assert rest == b"\x88\x02\x03\xea"  # close, 1002
