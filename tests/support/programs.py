"""Real client libraries, each in a program of its own under tests/clients, all driven alike.

A driver reads commands from standard input and tells events on standard output, one JSON object a line:

    {"command": "connect", "transport": "tls" | "wss", "host", "port", "ca", "certificate", "key", "clientId", "version": 4 | 5,
     "clean", "expiry": seconds (version 5), "will": null | {"topic", "payload", "qos", "retain"},
     "signed": null | {"url", "region", "accessKeyId", "secretAccessKey", "sessionToken"}: who signs, instead of a certificate,
     "proxy": null | {"host", "port"}: an HTTP proxy on the way (awsiotsdk)}
    {"command": "subscribe", "filter", "qos"}        {"command": "unsubscribe", "filter"}
    {"command": "publish", "topic", "payload", "qos", "retain"}        {"command": "disconnect"}

    {"event": "connected", "sessionPresent"}   {"event": "subscribed", "granted": [codes]}   {"event": "unsubscribed"}
    {"event": "published"}: sent (QoS 0) or acknowledged   {"event": "message", "topic", "payload", "qos", "retain"}
    {"event": "error", "why"}   {"event": "closed"}
"""

import functools
import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass

from support.broker import PATIENCE, ROOT
from support.mqtt import Closed

CLIENTS = ROOT / "tests/clients"


@functools.cache
def mqttjs():
    """mqtt.js in Node, as tests/install put it there."""
    assert (CLIENTS / "mqttjs/node_modules/mqtt").is_dir(), "mqtt.js is not there: run tests/install"
    return ["node", CLIENTS / "mqttjs/driver.mjs"]


@functools.cache
def rumqttc():
    """rumqttc, built where everything else is built."""
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    manifest = CLIENTS / "rumqttc/Cargo.toml"
    command = ["cargo", "build", "--quiet", "--locked", "--manifest-path", manifest, "--target-dir", target]
    subprocess.run(command, check=True)
    return [f"{target}/debug/tidegate-rumqttc-client"]


@functools.cache
def awsiotsdk():
    """The AWS IoT device SDK, in this Python."""
    return [sys.executable, CLIENTS / "awsiotsdk/driver.py"]


@dataclass(frozen=True)
class Kind:
    """A library, and how it is used."""

    name: str
    command: object
    version: int
    transport: str = "tls"
    qos_max: int = 2

    def __str__(self):
        return f"{self.name}-{'wss-' if self.transport == 'wss' else ''}{'5' if self.version == 5 else '3.1.1'}"


#: Every library with every version, and the browsers' way in.
KINDS = [
    *(Kind("mqttjs", mqttjs, version, transport) for transport in ("tls", "wss") for version in (4, 5)),
    *(Kind("rumqttc", rumqttc, version) for version in (4, 5)),
    *(Kind("awsiotsdk", awsiotsdk, version, qos_max=1) for version in (4, 5)),
]


class Program:
    """One client in a process of its own."""

    def __init__(self, kind, broker, device, client_id=None, *, clean=True, will=None, port=None, signed=None, proxy=None):
        self.kind = kind
        self.client_id = client_id or f"p-{uuid.uuid4().hex[:12]}"
        self.messages, self.answers = queue.Queue(), queue.Queue()
        self.session_present = None
        self.process = subprocess.Popen(
            list(map(str, kind.command())), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        threading.Thread(target=self._listen, daemon=True).start()
        self.options = {
            "transport": kind.transport, "host": broker.host, "port": port or broker.port, "ca": broker.ca_file,
            "certificate": device and str(device.certificate), "key": device and str(device.key), "clientId": self.client_id,
            "version": kind.version, "clean": clean, "expiry": 0 if clean else 600, "will": will, "signed": signed, "proxy": proxy,
        }  # fmt: skip

    def _listen(self):
        for line in self.process.stdout:
            event = json.loads(line)
            (self.messages if event["event"] == "message" else self.answers).put(event)
        self.answers.put({"event": "ended"})

    def __enter__(self):
        try:
            return self.connect()
        except BaseException:
            self.drop()
            raise

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.close()

    def _tell(self, command, **options):
        self.process.stdin.write(json.dumps({"command": command} | options) + "\n")

    def _answer(self, wanted):
        """The next event of that kind; `Closed` when the connection ends first."""
        deadline = time.monotonic() + PATIENCE
        why = None
        while True:
            event = self.answers.get(timeout=max(0.01, deadline - time.monotonic()))
            if event["event"] == wanted:
                return event
            why = event.get("why", why)
            if event["event"] in ("error", "closed", "ended"):
                raise Closed(f"{self.kind}: {why or event}")

    def connect(self):
        """Connects; `Closed` when the broker refuses in any way."""
        self._tell("connect", **self.options)
        self.session_present = self._answer("connected")["sessionPresent"]
        return self

    def subscribe(self, topic_filter, qos=1):
        """The reason codes of the SUBACK."""
        self._tell("subscribe", filter=topic_filter, qos=qos)
        return self._answer("subscribed")["granted"]

    def unsubscribe(self, topic_filter):
        """Returns when it is acknowledged."""
        self._tell("unsubscribe", filter=topic_filter)
        self._answer("unsubscribed")

    def publish(self, topic, payload="", qos=1, retain=False):
        """Returns when it is acknowledged, or sent when it has QoS 0."""
        self._tell("publish", topic=topic, payload=payload, qos=qos, retain=retain)
        self._answer("published")

    def message(self):
        """The next message."""
        return self.messages.get(timeout=PATIENCE)

    def silent(self):
        """Whether nothing has arrived by the time a marker published afterwards does."""
        marker = f"marker/{uuid.uuid4().hex}"
        self.subscribe(marker)
        self.publish(marker)
        return self.message()["topic"] == marker

    def close(self):
        """DISCONNECT, and the end of the process."""
        self._tell("disconnect")
        try:
            self._answer("closed")
        finally:
            self.drop()

    def drop(self):
        """The end of the process, and with it of the connection, without DISCONNECT."""
        self.process.kill()
        self.process.wait(PATIENCE)
