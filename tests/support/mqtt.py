"""MQTT clients: paho for most tests, Mosquitto's commands, and a bare socket."""

import contextlib
import queue
import socket
import ssl
import subprocess
import threading
import time
import uuid

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from support.broker import PATIENCE

V311, V5 = paho.MQTTv311, paho.MQTTv5


class Closed(Exception):
    """The broker closed the connection, or refused it."""

    def __init__(self, reason):
        super().__init__(str(reason))
        self.reason = reason


class Client:
    """A paho client in a thread, whose callbacks end in queues."""

    def __init__(self, broker, device, client_id=None, version=V311, *, clean=True, keep_alive=60, sni=None, transport="tcp", **options):
        self.client_id = f"c-{uuid.uuid4().hex[:12]}" if client_id is None else client_id
        kind = {} if version == V5 else {"clean_session": clean}
        self.paho = paho.Client(
            CallbackAPIVersion.VERSION2, self.client_id, protocol=version, transport=transport, reconnect_on_failure=False, **kind
        )
        self.version, self.clean, self.keep_alive = version, clean, keep_alive
        self.broker, self.options = broker, options
        self.messages, self.acks = queue.Queue(), queue.Queue()
        self.connected, self.closed = threading.Event(), threading.Event()
        self.connect_reason = self.close_reason = self.session_present = self.connack = None
        self.paho.tls_set_context(context(broker, device))
        self.paho.on_connect = self._on_connect
        self.paho.on_disconnect = self._on_disconnect
        self.paho.on_message = lambda _c, _u, message: self.messages.put(message)
        self.paho.on_publish = lambda _c, _u, mid, reason, properties: self.acks.put(("publish", mid, reason))
        self.paho.on_subscribe = lambda _c, _u, mid, reasons, properties: self.acks.put(("subscribe", mid, reasons))
        self.paho.on_unsubscribe = lambda _c, _u, mid, reasons, properties: self.acks.put(("unsubscribe", mid, reasons))

    def _on_connect(self, _client, _userdata, flags, reason, properties):
        self.session_present, self.connect_reason, self.connack = flags.session_present, reason, properties
        if not reason.is_failure:
            self.connected.set()

    def _on_disconnect(self, _client, _userdata, flags, reason, properties):
        self.close_reason = reason
        self.closed.set()

    def start(self):
        """Opens the connection and sends CONNECT; `Closed` when TLS already fails."""
        more = dict(self.options)
        if self.version == V5:
            more["clean_start"] = self.clean
        try:
            self.paho.connect(self.broker.host, self.broker.port, self.keep_alive, **more)
        except (OSError, ssl.SSLError) as error:
            self.closed.set()
            raise Closed(error) from error
        self.paho.loop_start()
        return self

    def connect(self):
        """Connects; `Closed` when the broker refuses in any way."""
        self.start()
        deadline = time.monotonic() + PATIENCE
        while not self.connected.wait(0.02):
            if self.closed.is_set():
                self.paho.loop_stop()
                raise Closed(self.connect_reason or self.close_reason)
            assert time.monotonic() < deadline, "no CONNACK, and no end of the connection"
        return self

    def __enter__(self):
        return self.connect()

    def __exit__(self, *_):
        self.close()

    def close(self):
        """DISCONNECT, and the end of the thread."""
        self.paho.disconnect()
        self.paho.loop_stop()

    def drop(self):
        """The end of the TCP connection without DISCONNECT."""
        sock = self.paho.socket()
        sock = getattr(sock, "_socket", sock)  # paho's WebSocket hides the TCP connection
        if sock:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self.closed.wait(PATIENCE)
        self.paho.loop_stop()

    def subscribe(self, topic_filter, qos=1, **options):
        """The reason codes of the SUBACK."""
        _, mid = self.paho.subscribe(topic_filter, qos, **options)
        return self._ack("subscribe", mid)

    def unsubscribe(self, topic_filter):
        """The reason codes of the UNSUBACK."""
        _, mid = self.paho.unsubscribe(topic_filter)
        return self._ack("unsubscribe", mid)

    def publish(self, topic, payload=b"", qos=1, retain=False, properties=None):
        """Publishes and waits for the acknowledgement; its reason code."""
        sent = self.paho.publish(topic, payload, qos, retain, properties)
        return self._ack("publish", sent.mid) if qos else None

    def _ack(self, kind, mid):
        kept = []
        deadline = time.monotonic() + PATIENCE
        try:
            while True:
                assert time.monotonic() < deadline, f"no acknowledgement of {kind} {mid}"
                try:
                    ack = self.acks.get(timeout=0.05)
                except queue.Empty:
                    if self.closed.is_set():
                        raise Closed(self.close_reason) from None
                    continue
                if ack[0] == kind and ack[1] == mid:
                    return ack[2]
                kept.append(ack)
        finally:
            for ack in kept:
                self.acks.put(ack)

    def message(self, patience=PATIENCE):
        """The next message."""
        return self.messages.get(timeout=patience)

    def silent(self):
        """Whether nothing has arrived by the time a marker published afterwards does."""
        marker = f"marker/{uuid.uuid4().hex}"
        self.subscribe(marker, 1)
        self.publish(marker, b"", 1)
        return self.message().topic == marker

    def wait_closed(self, patience=PATIENCE):
        """The reason of the end of the connection."""
        assert self.closed.wait(patience), "the connection stayed open"
        self.paho.loop_stop()
        return self.close_reason


def context(broker, device):
    """TLS towards `broker` with the device's certificate (none when `device` is None)."""
    tls = ssl.create_default_context(cafile=broker.ca_file)
    if device:
        tls.load_cert_chain(device.certificate, device.key)
    return tls


def properties(packet=PacketTypes.PUBLISH, **values):
    """MQTT 5 properties for paho."""
    made = Properties(packet)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def connect_properties(**values):
    """CONNECT's properties."""
    return properties(PacketTypes.CONNECT, **values)


@contextlib.contextmanager
def tls_socket(broker, device, *, server_name="default", version=None, port=None):
    """A TLS connection after its handshake, with nothing sent on it."""
    tls = context(broker, device)
    if version:
        tls.minimum_version = tls.maximum_version = version
    name = broker.host if server_name == "default" else server_name
    if name is None:
        tls.check_hostname = False
    with socket.create_connection((broker.host, port or broker.port), PATIENCE) as plain:
        with tls.wrap_socket(plain, server_hostname=name) as wrapped:
            yield wrapped


def connect_packet(client_id, keep_alive=60):
    """A 3.1.1 CONNECT with a clean session."""
    body = b"\0\x04MQTT\x04\x02" + keep_alive.to_bytes(2, "big") + len(client_id).to_bytes(2, "big") + client_id.encode()
    assert len(body) < 128
    return bytes([0x10, len(body)]) + body


#: CONNACK of 3.1.1: "not authorized".
NOT_AUTHORIZED = b"\x20\x02\x00\x05"


def answer(sock):
    """What the broker sends before it closes; b"" when it closes without a word, by FIN, reset or alert."""
    try:
        return sock.recv(4096)
    except (ConnectionError, ssl.SSLError):
        return b""


def mosquitto_command(program, broker, device, *arguments):
    """The command line of `mosquitto_pub` or `mosquitto_sub` with the device's certificate."""
    command = [
        program, "-h", broker.host, "-p", broker.port, "--cafile", broker.ca_file,
        "--cert", device.certificate, "--key", device.key, *arguments,
    ]  # fmt: skip
    return list(map(str, command))


def mosquitto(program, broker, device, *arguments, timeout=PATIENCE):
    """`mosquitto_pub` or `mosquitto_sub` with the device's certificate."""
    command = mosquitto_command(program, broker, device, *arguments)
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)
