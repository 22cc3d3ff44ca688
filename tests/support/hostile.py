"""A broker that bad input is thrown at, and who watches it."""

import contextlib
import json
import ssl

import pytest

from support.aws import Aws, activate, allow_all, register_ca
from support.broker import Broker
from support.pki import Ca
from support.raw import connect, mqtt, ping, plain

LISTENER = '[[mqtt.listener]]\nname = "plain"\naddress = "127.0.0.1"\nport = 0\ntransport = "plain"\n'
MIB = 1024 * 1024
JSON = [("Content-Type", "application/json")]
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})


def plain_port(broker):
    return int(broker.env["TIDEGATE_MQTT_LISTENER_PLAIN_PORT"])


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A broker that all of this is thrown at; at the end it must live, without a panic or a secret in its log."""
    with Broker(tmp_path_factory.mktemp("hostile") / "data", LISTENER) as broker:
        yield broker
        assert broker.process.poll() is None, "the broker ended"
        log = broker.log.read_text(errors="replace")
        assert "panicked" not in log
        assert broker.first_account.secret_access_key not in log and "PRIVATE KEY" not in log and "Signature=" not in log


@pytest.fixture(scope="module")
def port(hostile):
    return plain_port(hostile)


@pytest.fixture(scope="module")
def registered(hostile, tmp_path_factory):
    """A CA that is registered, and a device with a certificate that may do everything."""
    aws, ca = Aws(hostile), Ca(tmp_path_factory.mktemp("pki"))
    register_ca(aws, ca)
    device = ca.sign("good")
    aws.iot("register-certificate", "--certificate-pem", f"file://{device.certificate}", "--status", "ACTIVE")
    activate(aws, device.certificate_id, allow_all(aws))
    return ca, device


@pytest.fixture
def bystander(port):
    """A client that must not notice anything."""
    with mqtt(port, "bystander") as sock:
        assert ping(sock)
        yield sock
        assert ping(sock)


def greet(broker, tls, server_name="localhost"):
    """The answer to CONNECT over TLS."""
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        with tls.wrap_socket(plain(broker.port), server_hostname=server_name) as sock:
            sock.sendall(connect("greet"))
            return sock.recv(4)
    return b""
