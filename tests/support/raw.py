"""Bytes on sockets: what no well-behaved client would send, and what came back."""

import contextlib
import re
import socket
import ssl
import time
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from support.broker import PATIENCE, ROOT

CONNECT_OK_V4 = b"\x20\x02\x00\x00"


def varint(number):
    """A variable byte integer."""
    out = bytearray()
    while True:
        number, digit = number >> 7, number & 0x7F
        out.append(digit | (0x80 if number else 0))
        if not number:
            return bytes(out)


def text(value):
    """A string with its length, as MQTT writes it."""
    value = value.encode() if isinstance(value, str) else value
    return len(value).to_bytes(2, "big") + value


def packet(first, body=b""):
    """A fixed header and what follows."""
    return bytes([first]) + varint(len(body)) + body


def connect(client_id, version=4, flags=2, keep_alive=60, properties=b"", payload=b""):
    """CONNECT; `flags` 2 is a clean start, `properties` are without their length."""
    block = varint(len(properties)) + properties if version == 5 else b""
    head = b"\0\x04MQTT" + bytes([version, flags]) + keep_alive.to_bytes(2, "big")
    return packet(0x10, head + block + text(client_id) + payload)


def publish(topic, payload=b"", qos=0, packet_id=1, retain=False, dup=False, version=4, properties=b""):
    """PUBLISH."""
    first = 0x30 | qos << 1 | (1 if retain else 0) | (8 if dup else 0)
    identifier = packet_id.to_bytes(2, "big") if qos else b""
    block = varint(len(properties)) + properties if version == 5 else b""
    return packet(first, text(topic) + identifier + block + payload)


def subscribe(*filters, packet_id=1, qos=0, version=4):
    """SUBSCRIBE."""
    block = b"\0" if version == 5 else b""
    return packet(0x82, packet_id.to_bytes(2, "big") + block + b"".join(text(f) + bytes([qos]) for f in filters))


def ack(first, packet_id):
    """PUBACK (0x40), PUBREC (0x50), PUBREL (0x62), PUBCOMP (0x70)."""
    return packet(first, packet_id.to_bytes(2, "big"))


def bare(packet):
    """A packet of MQTT 5 without its Reason String, which must be well formed and say something."""
    if packet is None or packet[0] not in (0x40, 0x50, 0xE0):
        return packet
    first, body = packet
    head = 1 if first == 0xE0 else 3
    if len(body) <= head:
        return packet
    block = body[head:]
    length = int.from_bytes(block[2:4], "big")
    assert block[0] == len(block) - 1 < 128 and block[1] == 0x1F and length == len(block) - 4, packet
    assert block[4:].decode().strip(), packet
    return first, body[:head]


PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"


def split(stream):
    """The whole packets at the start of `stream`, as (first byte, body)."""
    packets, at = [], 0
    while True:
        length, shift, i = 0, 0, at + 1
        while i < len(stream):
            length |= (stream[i] & 0x7F) << shift
            shift, i = shift + 7, i + 1
            if not stream[i - 1] & 0x80:
                break
        else:
            return packets
        if i + length > len(stream):
            return packets
        packets.append((stream[at], stream[i : i + length]))
        at = i + length


def plain(port, patience=PATIENCE):
    """A TCP connection to loopback."""
    return socket.create_connection(("127.0.0.1", port), patience)


def mqtt(port, client_id, version=4, keep_alive=0, **options):
    """A TCP connection whose CONNECT was accepted; without a keep-alive of its own, however slow the machine is."""
    sock = plain(port)
    sock.sendall(connect(client_id, version, keep_alive=keep_alive, **options))
    answer = read_packet(sock)
    assert answer and answer[0] == 0x20 and answer[1][1] == 0, answer
    return sock


def exactly(sock, count):
    """`count` bytes; fewer at the end of the stream."""
    out = bytearray()
    while len(out) < count:
        piece = sock.recv(count - len(out))
        if not piece:
            break
        out += piece
    return bytes(out)


def read_packet(sock):
    """The next packet as (first byte, body); `None` at the end of the stream."""
    first = exactly(sock, 1)
    if not first:
        return None
    length, shift = 0, 0
    while True:
        digit = exactly(sock, 1)
        if not digit:
            return None
        length |= (digit[0] & 0x7F) << shift
        shift += 7
        if not digit[0] & 0x80:
            return first[0], exactly(sock, length)


def to_the_end(sock, limit=16 * 1024 * 1024):
    """All that comes until the peer closes, by FIN, reset or alert."""
    out = bytearray()
    with contextlib.suppress(ConnectionError, ssl.SSLError, BrokenPipeError):
        while len(out) < limit:
            piece = sock.recv(65536)
            if not piece:
                break
            out += piece
    return bytes(out)


def send(sock, data):
    """Sends what the peer still takes."""
    with contextlib.suppress(ConnectionError, ssl.SSLError, BrokenPipeError):
        sock.sendall(data)


def ping(sock):
    """Whether the connection answers."""
    sock.sendall(PINGREQ)
    return exactly(sock, 2) == PINGRESP


def vectors(version):
    """The packets a client may not send: (reason code, name, bytes, what it shows)."""
    found = []
    for line in (ROOT / "tests" / "data" / "mqtt" / f"v{version}.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        expectation, sender, data, clause, shows = (part.strip() for part in line.split("|", 4))
        if sender == "client" and expectation not in ("same", "ok"):
            code, name = expectation.split()
            found.append((int(code, 16), name, bytes.fromhex(data), f"{clause} {shows}"))
    return found


def resident(broker):
    """Resident memory of the process in bytes."""
    status = Path(f"/proc/{broker.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


def descriptors(broker):
    """How many files and sockets the process has open."""
    return len(list(Path(f"/proc/{broker.process.pid}/fd").iterdir()))


def took(action):
    """Seconds that `action()` takes."""
    since = time.monotonic()
    action()
    return time.monotonic() - since


class Api:
    """Requests to the API by hand, signed by botocore unless somebody forbids it."""

    def __init__(self, broker, account=None, region=None):
        self.broker = broker
        self.account = account or broker.first_account
        self.region = region or broker.env["AWS_DEFAULT_REGION"]
        self.url = broker.env["AWS_ENDPOINT_URL"]
        self.host, port = self.url.removeprefix("https://").rsplit(":", 1)
        self.port = int(port)

    def socket(self, patience=PATIENCE):
        """A TLS connection to the API."""
        tls = ssl.create_default_context(cafile=self.broker.ca_file)
        return tls.wrap_socket(socket.create_connection((self.host, self.port), patience), server_hostname=self.host)

    def signed(self, method, target, body=b"", service="iot", headers=(), region=None):
        """The head and body of a request with a good signature."""
        body = body.encode() if isinstance(body, str) else body
        request = AWSRequest(method, self.url + target, dict(headers) or None, body)
        credentials = Credentials(self.account.access_key_id, self.account.secret_access_key)
        SigV4Auth(credentials, service, region or self.region).add_auth(request)
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.host}:{self.port}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items() if name.lower() != "host"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def raw(self, data, patience=PATIENCE):
        """The status and body that `data` is answered with, on a connection of its own; (0, b"") when by nothing."""
        with contextlib.suppress(ssl.SSLError), self.socket(patience) as sock:
            send(sock, data)
            return response(sock)
        return 0, b""

    def call(self, method, target, body=b"", **more):
        """A signed request, and what it is answered with."""
        return self.raw(self.signed(method, target, body, **more))


def response(sock):
    """Status and body of one HTTP response; (0, b"") when none comes."""
    data = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return 0, data
            data += piece
        head, body = data.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?i)content-length: (\d+)", head)
        while length and len(body) < int(length[1]):
            piece = sock.recv(65536)
            if not piece:
                break
            body += piece
        return int(head.split()[1]), body
    return 0, data
