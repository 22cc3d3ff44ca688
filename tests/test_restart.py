"""What survives `kill -9`: all that was answered, and every device whose event was seen."""

import json
import threading

import pytest

from support.aws import Aws, activate, allow_all, create_policy, describe, register_ca
from support.broker import wait_for
from support.mqtt import Client, Closed
from support.pki import Ca


@pytest.fixture
def pki(tmp_path):
    return Ca(tmp_path / "pki")


def listener(broker, aws, pki, name="watcher"):
    device = pki.sign(name)
    aws.iot("register-certificate", "--certificate-pem", f"file://{device.certificate}", "--status", "ACTIVE")
    activate(aws, device.certificate_id, allow_all(aws, name))
    return device


def knock(broker, device):
    with pytest.raises(Closed):
        Client(broker, device).connect()


def test_all_that_was_answered_is_there_after_kill_9(own_broker, pki):
    aws = Aws(own_broker)
    code = aws.iot("get-registration-code")["registrationCode"]
    ca_id = register_ca(aws, pki)
    device = listener(own_broker, aws, pki)
    create_policy(aws, "last", {"Version": "2012-10-17", "Statement": []} | {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
    account = own_broker.create_account()
    own_broker.kill()
    own_broker.start()
    assert aws.iot("get-registration-code")["registrationCode"] == code
    assert aws.iot("list-ca-certificates")["certificates"][0]["certificateId"] == ca_id
    assert describe(aws, device.certificate_id)["status"] == "ACTIVE"
    assert {p["policyName"] for p in aws.iot("list-policies")["policies"]} == {"watcher", "last"}
    assert Aws(own_broker, account)("sts", "get-caller-identity")["Account"] == account.account_id
    with Client(own_broker, device) as client:
        client.publish("t", b"x")


def test_a_device_whose_event_was_seen_is_registered_after_kill_9(own_broker, pki):
    aws = Aws(own_broker)
    register_ca(aws, pki)
    watcher = listener(own_broker, aws, pki)
    for round_ in range(5):
        device = pki.sign(f"d{round_}")
        client = Client(own_broker, watcher)
        seen = threading.Event()

        def at_once(_client, _userdata, message, seen=seen):
            own_broker.process.kill()  # in the callback: no sooner could anybody have seen it
            seen.set()

        client.paho.on_message = at_once
        client.connect()
        client.subscribe("$aws/events/certificates/registered/+")
        knock(own_broker, device)
        assert seen.wait(60)
        client.paho.loop_stop()
        own_broker.kill()
        own_broker.start()
        assert describe(aws, device.certificate_id)["status"] == "PENDING_ACTIVATION"


def test_a_crash_between_row_and_event_loses_no_row_and_the_next_connect_tells(tmp_path, pki):
    from support.broker import Broker

    with Broker(tmp_path / "data") as broker:
        aws = Aws(broker)
        register_ca(aws, pki)
        watcher = listener(broker, aws, pki)
        broker.stop()
        broker.environment["TIDEGATE_FAULT"] = "registry::connect::registered"  # exit here; only in test builds
        broker.start()
        device = pki.sign("d")
        knock(broker, device)
        wait_for(lambda: broker.process.poll() is not None, "the crash")
        del broker.environment["TIDEGATE_FAULT"]
        broker.start()
        assert describe(aws, device.certificate_id)["status"] == "PENDING_ACTIVATION"
        with Client(broker, watcher) as client:
            client.subscribe("$aws/events/certificates/registered/+")
            knock(broker, device)
            event = json.loads(client.message().payload)
            assert event["certificateId"] == device.certificate_id
            assert event["certificateRegistrationTimestamp"] is not None
