"""What is spoken on a port with several protocols, as AWS has on 443: chosen by ALPN, by SNI, by the first byte."""

import re
import socket
import ssl
import subprocess
import uuid

import pytest

from support.aws import Aws, device_of, register_ca
from support.broker import PATIENCE, Broker, wait_for
from support.mqtt import answer, connect_packet, context
from support.pki import Ca
from support.programs import Kind, Program, awsiotsdk
from support.proxy import Proxy

CONFIG = """
[mqtt]
endpoint_domain = "tidegate.test"
[[mqtt.listener]]
name = "aws"
address = "127.0.0.1"
port = 0
profile = "aws"
websocket = true
"""
CONNACK = b"\x20\x02\x00\x00"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("alpn") / "data", CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def device(broker, tmp_path_factory):
    aws, ca = Aws(broker), Ca(tmp_path_factory.mktemp("alpn-ca"))
    register_ca(aws, ca)
    return device_of(aws, ca)


@pytest.fixture(scope="module")
def endpoint(broker):
    return Aws(broker).iot("describe-endpoint", "--endpoint-type", "iot:Data-ATS")["endpointAddress"]


def tls_to(broker, port, device, offered, server_name="localhost"):
    """A TLS connection after its handshake; `ssl.SSLError` when there is none."""
    tls = context(broker, device)
    if offered:
        tls.set_alpn_protocols(offered)
    if server_name is None:
        tls.check_hostname = False
    plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
    try:
        return tls.wrap_socket(plain, server_hostname=server_name)
    except BaseException:
        plain.close()
        raise


@pytest.mark.parametrize("listener", ["port", "aws_port"])
@pytest.mark.parametrize(
    "offered, chosen",
    [
        ([], None),
        (["x-amzn-mqtt-ca"], "x-amzn-mqtt-ca"),
        (["mqtt"], "mqtt"),
        (["mqtt", "x-amzn-mqtt-ca"], "x-amzn-mqtt-ca"),
        (["x-amzn-http-ca", "x-amzn-mqtt-ca"], "x-amzn-mqtt-ca"),
        (["h2", "http/1.1"], None),
    ],
    ids=lambda value: "+".join(value) or "none" if isinstance(value, list) else "",
)
def test_mqtt_is_spoken_whatever_alpn_says_of_it(broker, device, endpoint, listener, offered, chosen):
    for name in ("localhost", endpoint, None):
        with tls_to(broker, getattr(broker, listener), device, offered, name) as sock:
            assert sock.selected_alpn_protocol() == chosen
            sock.sendall(connect_packet(uuid.uuid4().hex))
            assert answer(sock) == CONNACK, name


@pytest.mark.parametrize("offered", [[], ["http/1.1"]], ids=["none", "http"])
def test_websocket_is_spoken_where_alpn_does_not_say_mqtt(broker, device, offered):
    request = b"GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n"
    with tls_to(broker, broker.aws_port, device, offered) as sock:
        sock.sendall(request)
        assert answer(sock).startswith(b"HTTP/1.1 426 ")
    for said in ("x-amzn-mqtt-ca", "mqtt"):
        with tls_to(broker, broker.aws_port, device, [said]) as sock:
            sock.sendall(request)
            assert answer(sock) == b""  # no HTTP where both sides agreed on MQTT


@pytest.mark.parametrize("offered", [["x-amzn-http-ca"], ["x-amzn-http-ca", "http/1.1"]], ids="+".join)
@pytest.mark.parametrize("listener", ["port", "aws_port"])
def test_publishing_by_https_is_refused_before_anything_is_sent(broker, device, listener, offered):
    before = len(refusals(broker))
    with pytest.raises(ssl.SSLError, match="(?i)no.application.protocol"):
        tls_to(broker, getattr(broker, listener), device, offered)
    entry = wait_for(lambda: refusals(broker)[before:], "the log line that explains it")[0]
    assert "x-amzn-http-ca" in entry["details"] and entry["targetPort"] == getattr(broker, listener)


def refusals(broker):
    return [entry for entry in broker.log_entries(eventType="Connection.AuthNError") if "HTTPS" in entry["details"]]


@pytest.mark.parametrize("offered, expected", [("x-amzn-mqtt-ca", "ALPN protocol: x-amzn-mqtt-ca"), ("x-amzn-http-ca", "no application protocol"), ("", "No ALPN negotiated")])
def test_openssl_sees_the_same(broker, device, endpoint, offered, expected):
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{broker.aws_port}", "-servername", endpoint, "-CAfile", broker.ca_file]
    command += ["-cert", str(device.certificate), "-key", str(device.key), *(["-alpn", offered] if offered else [])]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=PATIENCE)
    assert expected in done.stdout + done.stderr
    assert offered == "x-amzn-http-ca" or re.search(r"Verify return code: 0 \(ok\)", done.stdout)


@pytest.mark.parametrize("version", [4, 5])
def test_the_sdk_comes_in_by_443_as_it_does_at_aws(broker, device, version):
    """On port 443 the SDK offers `x-amzn-mqtt-ca` by itself. A proxy stands before that port, which a test may not bind."""
    kind = Kind("awsiotsdk", awsiotsdk, version, qos_max=1)
    with Proxy(broker.port) as proxy:
        way = {"host": "127.0.0.1", "port": proxy.port}
        with Program(kind, broker, device, port=443, proxy=way) as program:
            program.subscribe("by/443")
            program.publish("by/443", "hello")
            assert program.message()["payload"] == "hello"
    assert proxy.asked == [f"{broker.host}:443"] and b"x-amzn-mqtt-ca" in proxy.opening[0]


def test_without_a_certificate_nobody_comes_in(broker):
    for offered in (["mqtt"], ["x-amzn-mqtt-ca"]):
        with pytest.raises(ssl.SSLError, match="(?i)certificate.required"), tls_to(broker, broker.aws_port, None, offered) as sock:
            sock.sendall(connect_packet("nobody"))
            sock.recv(1)
    # The listener speaks WebSocket, which may be signed for: the handshake lets anybody through, a CONNECT gets nothing.
    with tls_to(broker, broker.aws_port, None, []) as sock:
        sock.sendall(connect_packet("nobody"))
        assert sock.recv(1) == b""
