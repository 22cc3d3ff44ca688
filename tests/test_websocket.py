"""MQTT over WebSocket: paho, with TLS and without, and requests that are none."""

import contextlib
import socket
import threading

import pytest

from support.aws import Aws, device_of, register_ca
from support.broker import Broker
from support.mqtt import V5, V311, Client, connect_packet, tls_socket
from support.pki import Ca
from support.raw import resident

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
        (b"GET /mqtt HTTP/1.1\r\n" + b"a" * 17_000, b"HTTP/1.1 431 "),
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


UPGRADE = (
    b"GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
)


def frame(first, payload):
    """A client's frame, masked with zeros."""
    return bytes([first, 0x80 | len(payload), 0, 0, 0, 0]) + payload


def upgraded(sock, more=b""):
    """The same socket, its 101 read."""
    sock.sendall(UPGRADE + more)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    assert head.startswith(b"HTTP/1.1 101 ")
    return sock


def test_peers_that_stop_half_way_or_never_stop_cost_nobody_else_anything(broker, device):
    halves = [b"", UPGRADE[:60], UPGRADE + b"\x82", UPGRADE + frame(0x82, connect_packet("half")[:9]), UPGRADE + frame(0x89, b"ping")]
    before = resident(broker)
    with contextlib.ExitStack() as stack:
        stopped = []
        for half in halves * 10:
            sock = stack.enter_context(plain_socket(broker))
            sock.sendall(half)
            stopped.append(sock)
        flood = upgraded(stack.enter_context(plain_socket(broker)), frame(0x82, connect_packet("flood")))
        over = threading.Event()

        def pings():
            many = frame(0x89, b"p" * 125) * 500
            sent = 0
            with contextlib.suppress(OSError):
                while not over.is_set() and sent < 256 * 1024 * 1024:
                    flood.sendall(many)  # and nothing is read
                    sent += len(many)

        flooding = threading.Thread(target=pings)
        flooding.start()
        try:
            with Client(broker, device, transport="websockets") as web:
                web.subscribe("t", 1)
                for number in range(100):
                    web.publish("t", str(number).encode())
                    assert web.message().payload == str(number).encode()
                for sock in stopped:  # within the time that a CONNECT may take, every one of them is told to go
                    everything(sock)
                web.publish("t", b"still here")
                assert web.message().payload == b"still here"
        finally:
            over.set()
            with contextlib.suppress(OSError):
                flood.shutdown(socket.SHUT_RDWR)
            flooding.join()
    assert resident(broker) - before < 64 * 1024 * 1024
    assert "panicked" not in broker.log.read_text(errors="replace")
