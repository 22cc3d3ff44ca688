"""Domain configurations: an account that has some, and what clients of several kinds see under each name."""

import contextlib
import json
import socket
import subprocess
import uuid

import pytest

from support.aws import Aws, device_of, register_ca
from support.broker import PATIENCE, Broker, wait_for
from support.functions import PROCESS
from support.mqtt import V5, Client, Closed
from support.pki import Ca

CONFIG = f"""
{PROCESS}
[mqtt]
websocket = true
https = true
endpoint_domain = "plant.test"
[[mqtt.listener]]
name = "aws"
address = "127.0.0.1"
port = 0
profile = "aws"
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("domains") / "data", CONFIG) as running:
        yield running
        assert running.process.poll() is None, "the broker ended"
        assert "panicked" not in running.log.read_text(errors="replace")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Names below .test and .example are this machine."""
    ask = socket.getaddrinfo

    def answer(host, *arguments, **options):
        ours = isinstance(host, str) and host.lower().endswith((".test", ".example"))
        return ask("127.0.0.1" if ours else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


class Account:
    """An account with a device that may do everything, and its domain configurations."""

    def __init__(self, broker, directory):
        self.broker = broker
        self.aws = Aws(broker, broker.create_account())
        self.iot = self.aws.boto3()
        self.ca = Ca(directory, f"Domains CA {uuid.uuid4().hex}")
        register_ca(self.aws, self.ca)
        self.device = device_of(self.aws, self.ca)
        self.made = []

    def configure(self, **options):
        """A new configuration, by a domain name of its own unless `domainName=None` says otherwise; its name."""
        name = f"d-{uuid.uuid4().hex[:10]}"
        options = {"domainName": f"{name}.example"} | options
        options = {key: value for key, value in options.items() if value is not None}
        self.iot.create_domain_configuration(domainConfigurationName=name, **options)
        self.made.append(name)
        return name

    def describe(self, name):
        return self.iot.describe_domain_configuration(domainConfigurationName=name)

    def update(self, name, **options):
        return self.iot.update_domain_configuration(domainConfigurationName=name, **options)

    def at(self, name, port=None):
        """The broker under the domain name of a configuration."""
        return At(self.broker, self.describe(name)["domainName"], port)

    def delete(self, name):
        self.update(name, domainConfigurationStatus="DISABLED")
        self.iot.delete_domain_configuration(domainConfigurationName=name)


class At:
    """The broker under another name."""

    def __init__(self, broker, host, port=None):
        self.broker, self.host, self.port, self.ca_file = broker, host, port or broker.port, broker.ca_file


@pytest.fixture
def account(broker, tmp_path):
    made = Account(broker, tmp_path / "pki")
    yield made
    for name in made.made:
        with contextlib.suppress(made.iot.exceptions.ResourceNotFoundException):
            made.delete(name)


def comes_in(place, device, **options):
    """Whether a client connects, publishes and hears itself there."""
    try:
        with Client(place, device, version=V5, **options) as client:
            client.subscribe("domains/#")
            client.publish("domains/a", b"x")
            return client.message().payload == b"x"
    except Closed:
        return False


def why(broker, whom, reason=None):
    """The newest refusal, once it is known: with this reason, if one is named."""

    def told():
        found = json.loads(broker.run("why", whom, "--limit", "1", "--json", check=False).stdout or "[]")
        return [one for one in found if reason in (None, one["entry"]["reason"])]

    return wait_for(told, f"a refusal of {whom}, {reason}")[0]


def s_client(place, *more, device=None):
    """What `openssl s_client` says of a handshake under this name."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{place.port}", "-servername", place.host, "-CAfile", place.ca_file]
    command += ["-verify_hostname", place.host, *more]
    if device:
        command += ["-cert", str(device.certificate), "-key", str(device.key)]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout + done.stderr


def verified(place, *more, device=None):
    """Whether the server showed a certificate for the name that can be believed. (openssl is content with none at all.)"""
    seen = s_client(place, *more, device=device)
    return "Verify return code: 0 (ok)" in seen and "no peer certificate" not in seen


def curl(place, device=None, *more):
    """The status of a message that curl publishes under this name."""
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert", place.ca_file]
    command += ["--resolve", f"{place.host}:{place.port}:127.0.0.1", "--data", "hello", *more]
    if device:
        command += ["--cert", str(device.certificate), "--key", str(device.key)]
    command.append(f"https://{place.host}:{place.port}/topics/own/curl/a?qos=1")
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout


def refusal(call, *arguments, **options):
    with pytest.raises(Exception) as caught:
        call(*arguments, **options)
    return caught.value.response["Error"]["Code"]
