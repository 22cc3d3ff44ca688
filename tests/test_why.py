"""Refused devices, each for another reason: `tidegate why` names the reason, and the commands that it gives mend it."""

import json
import shlex
import socket
import ssl
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from support.aws import Aws, activate, allow_all, create_policy, register_ca
from support.broker import PATIENCE, PROGRAM, wait_for
from support.mqtt import V5, Client, Closed, context
from support.pki import Ca, Device

CONNECT_AS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}


class Case:
    """A device with an account and a CA of its own, and what is asked about it."""

    def __init__(self, broker, directory):
        self.broker = broker
        self.aws = Aws(broker, broker.create_account())
        self.ca = Ca(directory / "pki", f"Why CA {uuid.uuid4().hex}")
        self.told = None
        self.device, self.client_id = self.ca.sign("d"), f"why-{uuid.uuid4().hex[:10]}"

    def known(self, status="ACTIVE"):
        """Registers the device by the API."""
        register_ca(self.aws, self.ca)
        self.aws.iot("register-certificate", "--certificate-pem", f"file://{self.device.certificate}", "--status", status)

    @property
    def arn(self):
        return f"arn:aws:iot:{self.aws.region}:{self.aws.account.account_id}:cert/{self.device.certificate_id}"

    def may(self, document):
        name = create_policy(self.aws, f"p-{uuid.uuid4().hex[:8]}", document)
        self.aws.iot("attach-policy", "--policy-name", name, "--target", self.arn)
        return name

    def client(self):
        return Client(self.broker, self.device, self.client_id, V5)

    def connect(self):
        """Connects and goes; whether it came in."""
        try:
            with self.client() as client:
                return bool(client)
        except Closed:
            return False

    def why(self, whom=None):
        """The newest refusal of the device that was not told yet, once it is on disk."""
        whom = whom or self.device.certificate_id

        def newer():
            found = json.loads(self.broker.run("why", whom, "--limit", "1", "--json", check=False).stdout or "[]")
            return found[0] if found and found[0]["id"] != self.told else None

        refusal = wait_for(newer, f"a refusal of {whom}")
        self.told = refusal["id"]
        return refusal

    def mend(self, refusal):
        """Pastes the remedy."""
        assert refusal["case"]["remedy"], refusal
        if "openssl" in str(refusal["case"]["remedy"]):
            return self.paste("\n".join(refusal["case"]["remedy"]))
        for command in refusal["case"]["remedy"]:
            program, service, operation, *options = shlex.split(command)
            assert program == "aws"
            self.aws(service, operation, *options)

    def paste(self, script):
        """Runs it in a shell, where the CA's files are."""
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        subprocess.run(["sh", "-ec", script], cwd=self.ca.directory, env=self.aws.environment | {"PATH": path}, check=True, timeout=PATIENCE)

    def comes_in(self, steps):
        """Whether the device comes in when what `why` says is done again and again, at most so often."""
        for _ in range(steps):
            if self.connect():
                return True
            self.mend(self.why())
        return self.connect()


@pytest.fixture
def case(broker, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where new certificates are written
    return Case(broker, tmp_path)


def unknown_ca(case):
    return "DEVICE_CERTIFICATE_NOT_REGISTERED", {"ca": "UNKNOWN_NAME", "status": "NOT_REGISTERED"}, 3


def inactive_ca(case):
    register_ca(case.aws, case.ca, active=False)
    return "DEVICE_CERTIFICATE_NOT_REGISTERED", {"ca": "SIGNED_BY", "ca_status": "INACTIVE"}, 3


def auto_registration_off(case):
    register_ca(case.aws, case.ca, auto=False)
    return "DEVICE_CERTIFICATE_NOT_REGISTERED", {"ca": "SIGNED_BY", "auto": "DISABLE"}, 3


def pending(case):
    register_ca(case.aws, case.ca)
    return "DEVICE_CERTIFICATE_INACTIVE", {"status": "PENDING_ACTIVATION"}, 2


def inactive(case):
    case.known("INACTIVE")
    return "DEVICE_CERTIFICATE_INACTIVE", {"status": "INACTIVE"}, 2


def no_policy(case):
    case.known()
    return "AUTHORIZATION_FAILURE", {"status": "ACTIVE", "policy": f"client/{case.client_id}"}, 1


def other_client_id(case):
    case.known()
    resource = f"arn:aws:iot:{case.aws.region}:{case.aws.account.account_id}:client/somebody"
    case.may({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": resource}]})
    return "AUTHORIZATION_FAILURE", {"policy": f"no statement allows iot:Connect on arn:aws:iot:{case.aws.region}"}, 1


def denied(case):
    case.known()
    name = case.may({"Version": "2012-10-17", "Statement": [{"Sid": "No", "Effect": "Deny", "Action": "iot:*", "Resource": "*"}]})
    return "AUTHORIZATION_FAILURE", {"policy": f"policy {name}, version 1, statement 0 (No) denies iot:Connect"}, 2


@pytest.mark.parametrize(
    "refused", [unknown_ca, inactive_ca, auto_registration_off, pending, inactive, no_policy, other_client_id, denied], ids=lambda f: f.__name__
)
def test_why_names_the_reason_and_the_remedy_lets_the_device_in(case, refused):
    reason, expected, steps = refused(case)
    assert not case.connect()
    refusal = case.why()
    found = refusal["case"]
    assert refusal["entry"]["reason"] == reason
    assert found["leaf"]["subject"].endswith("CN=d") and case.ca.common_name in found["leaf"]["issuer"]
    assert found["ca"]["found"] == expected.get("ca", "SIGNED_BY")
    assert found["ca"].get("status") == expected.get("ca_status", found["ca"].get("status"))
    assert found["ca"].get("autoRegistration") == expected.get("auto", found["ca"].get("autoRegistration"))
    assert found["certificateStatus"] == expected.get("status", found["certificateStatus"])
    assert expected.get("policy", "") in found.get("policy", "")
    told = case.broker.run("why", case.device.certificate_id).stdout
    assert reason in told and found["advice"] in told and found["remedy"][0].split("\n")[0] in told
    case.mend(refusal)
    assert case.comes_in(steps - 1)


@pytest.mark.parametrize(("kind", "reason"), [("revoked", "DEVICE_CERTIFICATE_REVOKED"), ("expired", "NOT_AUTHENTICATED")])
def test_a_certificate_that_is_lost_is_replaced(case, tmp_path, kind, reason):
    if kind == "expired":
        case.device = case.ca.sign("d", dates=("20200101000000Z", "20210101000000Z"))
        register_ca(case.aws, case.ca)
    else:
        case.known()
        case.aws.iot("update-certificate", "--certificate-id", case.device.certificate_id, "--new-status", "REVOKED")
    assert not case.connect()
    refusal = case.why()
    assert refusal["entry"]["reason"] == reason
    case.mend(refusal)
    case.device, case.told = Device(tmp_path / "new.pem", tmp_path / "new.key"), None
    assert case.comes_in(1)


def test_what_a_policy_withholds_later_is_explained_by_the_trace_id_in_the_answer(case):
    case.known()
    case.may(CONNECT_AS)
    with case.client() as client:
        reasons = []
        client.paho.on_publish = lambda _c, _u, mid, reason, properties: (reasons.append(properties), client.acks.put(("publish", mid, reason)))
        assert client.publish("rooms/1/t", b"20").is_failure
        trace = reasons[0].ReasonString.rsplit("trace id ", 1)[1]
        refusal = case.why(trace)
        assert refusal["entry"]["eventType"] == "Publish-In" and refusal["entry"]["topicName"] == "rooms/1/t"
        assert refusal["entry"]["clientId"] == case.client_id
        assert f"tidegate explain --principal {case.arn}" in refusal["case"]["advice"]
        case.mend(refusal)
        assert not client.publish("rooms/1/t", b"20").is_failure
        assert client.subscribe("rooms/#")[0].is_failure
        subscribe = case.why(trace)
        assert subscribe["entry"]["eventType"] == "Subscribe"
        case.mend(subscribe)
        assert not client.subscribe("rooms/#")[0].is_failure
        # And what it may subscribe to, but not receive.
        client.publish("rooms/1/t", b"21")
        receive = case.why(trace)
        assert receive["entry"]["eventType"] == "Publish-Out"
        case.mend(receive)
        client.publish("rooms/1/t", b"22")
        assert client.message().payload == b"22"


def test_a_server_name_that_is_nobodys_is_listed_with_what_to_connect_to(case):
    name = f"{uuid.uuid4().hex}.example"
    tls = context(case.broker, case.device)
    tls.check_hostname = False
    with socket.create_connection((case.broker.host, case.broker.port), PATIENCE) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            tls.wrap_socket(plain, server_hostname=name)

    def listed():
        lines = case.broker.run("refusals", "--limit", "200", "--json").stdout.splitlines()
        return [refusal for refusal in map(json.loads, lines) if refusal["entry"].get("serverNameIndication") == name]

    refusal = wait_for(listed, "the refusal")[0]
    assert refusal["entry"]["reason"] == "SNI_MISUSED"
    assert case.why(refusal["entry"]["traceId"])["id"] == refusal["id"]
    case.mend(refusal)


def test_refusals_are_followed_and_a_pasted_remedy_works_in_a_shell(case):
    case.known("INACTIVE")
    program = [*map(str, [PROGRAM, "refusals", "--follow", "--limit", "0", "--data", case.broker.data])]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as follower:
        try:
            assert not case.connect()
            line = next(line for line in follower.stdout if case.device.certificate_id in line)
            assert "DEVICE_CERTIFICATE_INACTIVE" in line
        finally:
            follower.kill()
    case.paste(case.why()["case"]["remedy"][0])
    case.may(json.loads(json.dumps(CONNECT_AS)))
    assert case.connect()


def test_nobody_is_known_who_was_not_refused(case):
    done = case.broker.run("why", "nobody-of-this-name", check=False)
    assert done.returncode == 1 and "no refusal of" in done.stderr


def test_no_secret_is_in_any_log(case):
    """After all that happened to this broker: neither its own log nor what it keeps has a key in it."""
    register_ca(case.aws, case.ca)
    keys = case.aws.iot("create-keys-and-certificate", "--set-as-active")["keyPair"]["PrivateKey"]
    activate(case.aws, case.device.certificate_id) if case.connect() else None
    account = case.aws.account
    kept = case.broker.run("refusals", "--limit", "1000", "--json").stdout
    logs = case.aws.boto3("logs")
    for page in logs.get_paginator("filter_log_events").paginate(logGroupName="AWSIotLogsV2"):
        kept += "".join(event["message"] for event in page["events"])
    texts = kept + case.broker.log.read_text(errors="replace")
    for secret in [account.secret_access_key, case.broker.first_account.secret_access_key, keys.splitlines()[3], "PRIVATE KEY"]:
        assert secret not in texts
    allow_all(case.aws)
