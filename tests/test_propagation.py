"""`mqtt.propagation_delay_s`: devices live with yesterday's registry for a while, as at AWS; operators see today's."""

import json
import re
import subprocess
import time
import urllib.request

import pytest

from support.aws import Aws, activate, describe, device_of, register_ca
from support.broker import PROGRAM, Broker, clean_environment, wait_for
from support.mqtt import V5, Client, Closed
from support.pki import Ca

LONG = 900  # nothing arrives within a test


def delayed(tmp_path, seconds):
    config = f'[mqtt]\nprofile = "aws"\npropagation_delay_s = {seconds}\n[metrics]\nport = 0\n'
    return Broker(tmp_path / "data", config)


def waiting(broker):
    """How many changes wait, as monitoring sees it."""
    with urllib.request.urlopen(broker.env["TIDEGATE_METRICS_URL"] + "/metrics", timeout=60) as answer:
        return int(re.search(r"^tidegate_propagating_changes (\d+)$", answer.read().decode(), re.M)[1])


def again(broker):
    """Everything that was changed before a restart has arrived."""
    assert broker.stop() == 0
    broker.start()
    return Aws(broker)


def deny_publish(aws):
    """From now on the policy allows everything but to publish."""
    statement = {"Effect": "Allow", "Action": ["iot:Connect", "iot:Subscribe", "iot:Receive"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.iot("create-policy-version", "--policy-name", "everything", "--policy-document", document, "--set-as-default")


def connects(broker, device):
    """Whether the device's CONNECT is accepted; each under a client id of its own."""
    try:
        Client(broker, device, version=V5).connect().close()
        return True
    except Closed:
        return False


def test_a_change_counts_for_devices_after_the_delay_and_at_once_for_the_api(tmp_path):
    with delayed(tmp_path, 3) as broker:
        aws, ca = Aws(broker), Ca(tmp_path / "pki")
        before = time.monotonic()
        register_ca(aws, ca)
        device = device_of(aws, ca)
        wait_for(lambda: connects(broker, device), "the certificate at the devices' edge")
        assert time.monotonic() - before >= 3
        with Client(broker, device, version=V5) as client:
            assert client.publish("t").value in (0x00, 0x10)
            before = time.monotonic()
            deny_publish(aws)
            wait_for(lambda: client.publish("t").value == 0x87, "the new policy at the devices' edge")
            assert time.monotonic() - before >= 3
            before = time.monotonic()
            aws.iot("update-certificate", "--certificate-id", device.certificate_id, "--new-status", "INACTIVE")
            client.wait_closed()
            assert time.monotonic() - before >= 3
        assert not connects(broker, device)


def test_before_the_delay_the_old_state_decides(tmp_path):
    with delayed(tmp_path, LONG) as broker:
        aws, ca = Aws(broker), Ca(tmp_path / "pki")
        register_ca(aws, ca)
        device = device_of(aws, ca)
        assert not connects(broker, device)
        told = wait_for(lambda: broker.log_entries(principalId=device.certificate_id, status="Failure"), "the log entry")[0]
        assert "has not reached the devices' edge yet" in told["details"], told
        aws = again(broker)
        assert connects(broker, device)
        with Client(broker, device, version=V5) as client:
            deny_publish(aws)
            aws.iot("update-certificate", "--certificate-id", device.certificate_id, "--new-status", "INACTIVE")
            assert describe(aws, device.certificate_id)["status"] == "INACTIVE"
            assert client.publish("t").value in (0x00, 0x10)
            assert connects(broker, device)
        aws = again(broker)
        assert not connects(broker, device)
        aws.iot("update-certificate", "--certificate-id", device.certificate_id, "--new-status", "ACTIVE")
        again(broker)
        with Client(broker, device, version=V5) as client:
            assert client.publish("t").value == 0x87


def test_who_registers_by_connecting_is_known_at_once_and_activated_later(tmp_path):
    with delayed(tmp_path, LONG) as broker:
        aws, ca = Aws(broker), Ca(tmp_path / "pki")
        ca_id = register_ca(aws, ca)
        watcher = device_of(aws, ca, "watcher")
        aws = again(broker)
        device = ca.sign("new")
        with Client(broker, watcher, version=V5) as events:
            events.subscribe(f"$aws/events/certificates/registered/{ca_id}")
            for first in (True, False):
                assert not connects(broker, device)
                told = json.loads(events.message().payload)
                assert (told["certificateId"], told["certificateRegistrationTimestamp"] is None) == (device.certificate_id, first)
            assert describe(aws, device.certificate_id)["status"] == "PENDING_ACTIVATION"
            activate(aws, device.certificate_id, "everything")
            assert not connects(broker, device)  # it waits for its activation still
            assert json.loads(events.message().payload)["certificateStatus"] == "PENDING_ACTIVATION"
        again(broker)
        assert connects(broker, device)


def test_who_is_refused_too_early_finds_out_why(tmp_path):
    with delayed(tmp_path, LONG) as broker:
        aws, ca = Aws(broker), Ca(tmp_path / "pki")
        register_ca(aws, ca)
        device_of(aws, ca)
        other = ca.sign("other")
        aws.iot("register-certificate", "--certificate-pem", f"file://{other.certificate}", "--status", "ACTIVE")
        assert waiting(broker) > 0
        aws = again(broker)
        assert waiting(broker) == 0
        activate(aws, other.certificate_id, "everything")
        assert waiting(broker) == 1  # it was ACTIVE; the attachment is new
        assert not connects(broker, other)

        def why():
            return json.loads(broker.run("why", other.certificate_id, "--limit", "1", "--json", check=False).stdout or "[]")

        case = wait_for(why, "the refusal")[0]["case"]
        assert "no statement allows iot:Connect" in case["policy"], case
        assert "changes that have not reached the devices' edge yet: 1, each takes 900 s" in case["advice"], case


@pytest.mark.parametrize(
    "config, place",
    [
        ('[mqtt]\npropagation_delay_s = 5\n', "line 2, column 23: mqtt.propagation_delay_s: changes take their time in the manners of AWS only"),
        ('[mqtt]\nprofile = "aws"\npropagation_delay_s = 901\n', "line 3, column 23: mqtt.propagation_delay_s: 901 is too long"),
    ],
)
def test_where_it_cannot_be_the_configuration_is_refused(tmp_path, config, place):
    file = tmp_path / "t.toml"
    file.write_text(config)
    wrong = subprocess.run([PROGRAM, "check-config", "--config", file], capture_output=True, text=True, env=clean_environment(), check=False)
    assert wrong.returncode != 0 and place in wrong.stderr
