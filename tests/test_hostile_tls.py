"""Bad input to TLS: what is no handshake, strange names, certificates, and connections that are half open."""

import contextlib
import random
import ssl
import statistics

import pytest

from support.aws import Aws, register_ca
from support.broker import Broker, wait_for
from support.hostile import greet, hostile, registered  # noqa: F401, F811: fixtures among them
from support.mqtt import context
from support.pki import Ca
from support.raw import CONNECT_OK_V4, connect, descriptors, plain, read_packet, send, to_the_end, took


def client_hello(broker, device):
    """The bytes of a good ClientHello."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context(broker, device).wrap_bio(incoming, outgoing, server_hostname=broker.host)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    return outgoing.read()


def test_thousands_of_half_open_connections_do_not_keep_a_device_out(hostile, registered):
    tls = context(hostile, registered[1])

    def typical():
        def one():
            assert greet(hostile, tls) == CONNECT_OK_V4

        return statistics.median(took(one) for _ in range(15))

    hello = client_hello(hostile, registered[1])
    typical()
    idle, files = typical(), descriptors(hostile)
    for first in (b"", hello[: len(hello) // 2], hello):
        socks = [plain(hostile.port) for _ in range(1000)]
        for sock in socks:
            send(sock, first)
        # The aim is twice the idle time; the rest is for a busy machine.
        assert typical() < 6 * idle
        for sock in socks:
            sock.close()
        wait_for(lambda: descriptors(hostile) <= files + 2, "the sockets to be closed")


RECORD = b"\x16\x03\x01"


@pytest.mark.parametrize(
    "data",
    [
        random.Random(1).randbytes(500), b"GET / HTTP/1.1\r\n\r\n", connect("no-tls"), RECORD + b"\x4e\x20\1" + b"a" * 20_000,
        RECORD + b"\1\0\1\x10\0\0" + b"a" * 300, b"\x80\x2e\1\0\2\0\x15\0\0\0\x10" + b"a" * 30, (RECORD + b"\0\0") * 10,
        b"\x15\3\1\0\2\2\x28", b"\x17\3\3\0\x10" + b"a" * 16,
    ],
    ids=["noise", "HTTP", "MQTT", "a long record", "a long ClientHello", "SSL 2", "empty records", "an alert", "data"],
)  # fmt: skip
def test_what_is_no_client_hello_is_answered_by_an_alert_at_most(hostile, data):
    with plain(hostile.port) as sock:
        send(sock, data)
        said = to_the_end(sock)
    assert said == b"" or said[0] == 21 and len(said) == 7


def test_a_server_name_that_is_none_or_nobodys_is_refused(hostile, registered):
    hello = client_hello(hostile, registered[1])

    def named(name):
        changed, at = bytearray(hello), hello.find(b"localhost")
        extensions = 9 + 2 + 32
        extensions += 1 + hello[extensions]
        extensions += 2 + int.from_bytes(hello[extensions : extensions + 2], "big")
        extensions += 1 + hello[extensions]
        changed[at : at + 9] = name
        for place, size in ((at - 2, 2), (at - 5, 2), (at - 7, 2), (extensions, 2), (3, 2), (6, 3)):
            longer = int.from_bytes(hello[place : place + size], "big") + len(name) - 9
            changed[place : place + size] = longer.to_bytes(size, "big")
        return bytes(changed)

    for name, alert in ((b"nobody.example", 112), (b"a." * 5000, 47), (b"local\0ost", 47), (b"a\nb", 47)):
        with plain(hostile.port) as sock:
            send(sock, named(name))
            assert to_the_end(sock) == bytes([21, 3, 3, 0, 2, 2, alert]), name[:20]
    assert hostile.log_entries(reason="SNI_MISUSED", serverNameIndication="nobody.example")


def test_a_client_id_cannot_forge_a_line_of_the_text_log(tmp_path):
    with Broker(tmp_path / "data", TIDEGATE_LOG_FORMAT="text") as broker:
        aws, ca = Aws(broker), Ca(tmp_path / "pki")
        register_ca(aws, ca)
        device = ca.sign("no-policies")
        aws.iot("register-certificate", "--certificate-pem", f"file://{device.certificate}", "--status", "ACTIVE")
        with context(broker, device).wrap_socket(plain(broker.port), server_hostname=broker.host) as sock:
            sock.sendall(connect("a\nFORGED \x1b[2J", 5))
            first, body = read_packet(sock)
        assert first == 0x20 and body[1] == 0x87
        assert b"FORGED" in body and not set(body[body.index(b"AUTHORIZATION") :]) & set(range(0x20))
        wait_for(lambda: "AUTHORIZATION_FAILURE" in broker.log.read_text(), "the line")
        assert "FORGED" in broker.log.read_text() and "\x1b[2J" not in broker.log.read_text()
        assert not any(line.startswith("FORGED") for line in broker.log.read_text().splitlines())


def test_certificates_that_are_missing_or_many(hostile, registered, tmp_path):
    ca, device = registered
    assert greet(hostile, context(hostile, None)) == b""
    assert hostile.log_entries(reason="NOT_AUTHENTICATED", eventType="Connection.AuthNError")
    chain = tmp_path / "chain.pem"
    for more, answer in ((30, CONNECT_OK_V4), (400, b"")):
        chain.write_text(device.certificate.read_text() + ca.certificate.read_text() * more)
        tls = ssl.create_default_context(cafile=hostile.ca_file)
        tls.load_cert_chain(chain, device.key)
        assert greet(hostile, tls) == answer, more
