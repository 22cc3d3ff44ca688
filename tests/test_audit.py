"""The audit trail: what is recorded, that it cannot be changed unseen, and `aws cloudtrail lookup-events`."""

import json
import os

import pytest

from support.aws import CLI_V2, Aws, AwsError, device_of, register_ca
from support.broker import Broker, wait_for
from support.mqtt import V5, Client
from support.pki import Ca

POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}'


def looked_up(aws, *arguments):
    """The records, the newest first."""
    return [json.loads(event["CloudTrailEvent"]) for event in aws("cloudtrail", "lookup-events", *arguments)["Events"]]


def test_each_call_that_changes_something_is_recorded_with_who_and_what(broker, account, aws):
    aws.iot("create-policy", "--policy-name", "p", "--policy-document", POLICY)
    aws.iot("list-policies")
    with pytest.raises(AwsError):
        aws.iot("create-policy", "--policy-name", "p", "--policy-document", POLICY)
    keys = aws.iot("create-keys-and-certificate", "--set-as-active")
    aws.iot("update-certificate", "--certificate-id", keys["certificateId"], "--new-status", "INACTIVE")
    update, create_keys, refused, created, account_made = looked_up(aws)
    assert account_made["eventName"] == "CreateAccount"
    assert [record["eventName"] for record in (update, create_keys, refused, created)] == [
        "UpdateCertificate", "CreateKeysAndCertificate", "CreatePolicy", "CreatePolicy",
    ]  # fmt: skip
    assert created["requestParameters"] == {"policyName": "p", "policyDocument": POLICY}
    assert "errorCode" not in created and refused["errorCode"] == "ResourceAlreadyExistsException"
    assert update["requestParameters"] == {"certificateId": keys["certificateId"], "newStatus": "INACTIVE"}
    identity = created["userIdentity"]
    assert (identity["type"], identity["accountId"], identity["accessKeyId"]) == ("Root", account.account_id, account.access_key_id)
    assert created["sourceIPAddress"] == "127.0.0.1" and "aws-cli" in created["userAgent"]
    assert created["eventSource"] == "iot.amazonaws.com" and created["awsRegion"] == aws.region
    found = aws("cloudtrail", "lookup-events", "--lookup-attributes", "AttributeKey=EventName,AttributeValue=UpdateCertificate")
    assert [event["EventName"] for event in found["Events"]] == ["UpdateCertificate"]
    assert len(aws("cloudtrail", "lookup-events", "--max-items", "3")["Events"]) == 3
    assert looked_up(aws, "--end-time", "2020-01-01T00:00:00Z") == []
    assert looked_up(Aws(broker, account, CLI_V2)) == looked_up(aws)
    assert [record["eventName"] for record in looked_up(Aws(broker, broker.create_account()))] == ["CreateAccount"]
    for secret in (account.secret_access_key, keys["keyPair"]["PrivateKey"].splitlines()[3]):
        assert secret not in json.dumps(looked_up(aws))


def test_records_survive_kill_and_the_trail_is_verified_running_and_stopped(tmp_path):
    with Broker(tmp_path / "data") as broker:
        aws = Aws(broker)
        for number in range(5):
            aws.iot("create-policy", "--policy-name", f"p{number}", "--policy-document", POLICY)
        before = looked_up(aws)
        broker.kill()
        offline = json.loads(broker.run("audit", "verify", "--json").stdout)
        assert offline["records"] == 5 and offline["problems"] == []
        broker.start()
        aws = Aws(broker)
        assert looked_up(aws) == before and len(before) == 5
        assert json.loads(broker.run("audit", "verify", "--json").stdout) == offline
        assert f"last hash  {offline['head']}" in broker.run("audit", "verify").stdout


def test_commands_of_the_admin_socket_are_recorded_where_they_change_something(broker, account, aws, tmp_path):
    ca = Ca(tmp_path / "pki")
    register_ca(aws, ca)
    device = device_of(aws, ca)
    broker.run("account", "list"), broker.run("connections", "list"), broker.run("session", "list")
    key = json.loads(broker.run("key", "create", "--account", account.account_id, "--json").stdout)
    broker.run("key", "delete", key["accessKeyId"])
    client = Client(broker, device, "kicked", V5).connect()
    broker.run("connections", "kick", "kicked", "--account", account.account_id, "--reason", "it reads nonsense")
    client.wait_closed()
    with Client(broker, device, "dropped", V5):
        broker.run("session", "drop", "dropped", "--account", account.account_id)
    commands = [record for record in looked_up(aws) if record["eventSource"] == "tidegate"]
    assert [(record["eventName"], record["requestParameters"]) for record in reversed(commands)] == [
        ("CreateAccount", {"id": None}),
        ("CreateAccessKey", {"account": account.account_id}),
        ("DeleteAccessKey", {"accessKeyId": key["accessKeyId"]}),
        ("KickConnections", {"target": {"clientId": "kicked"}, "scope": {"account": account.account_id, "region": None}, "reason": "it reads nonsense"}),
        ("DropSession", {"clientId": "dropped", "scope": {"account": account.account_id, "region": None}, "preventWill": False}),
    ]
    me = f"uid:{os.getuid()}"
    for record in commands:
        assert record["userIdentity"] == {"type": "LocalUser", "principalId": me, "userName": me}
        assert (record["sourceIPAddress"], record["eventType"], record["recipientAccountId"]) == ("admin socket", "TidegateCommand", account.account_id)
    assert key["secretAccessKey"] not in json.dumps(looked_up(aws))
    by_user = aws("cloudtrail", "lookup-events", "--lookup-attributes", f"AttributeKey=Username,AttributeValue={me}")["Events"]
    assert len(by_user) == 5 and "AccessKeyId" not in by_user[0]


def test_a_command_that_fails_is_recorded_in_the_first_account(tmp_path):
    with Broker(tmp_path / "data") as broker:
        assert broker.run("connections", "kick", "nobody", check=False).returncode != 0
        (failed,) = looked_up(Aws(broker))
        assert (failed["eventName"], failed["errorCode"]) == ("KickConnections", "CommandFailed") and "nobody" in failed["errorMessage"]


def test_a_change_has_its_record_even_when_the_process_is_killed_between_the_two(tmp_path):
    killed = tmp_path / "killed"
    with Broker(tmp_path / "data", TIDEGATE_FAULT_KILL_AFTER_COMMIT=str(killed)) as broker:
        broker.stop()
        broker.start()  # what a first start writes is written
        aws = Aws(broker)
        aws.iot("create-policy", "--policy-name", "answered", "--policy-document", POLICY)
        for change in (
            lambda: aws.iot("create-policy", "--policy-name", "killed", "--policy-document", POLICY),
            lambda: aws.iot("set-v2-logging-options", "--role-arn", "arn:aws:iam::123456789012:role/r"),
            lambda: broker.run("account", "create", "--id", "333333333333"),
        ):
            killed.touch()
            with pytest.raises(Exception):  # noqa: B017, PT011
                change()
            broker.process.wait(20)
            killed.unlink()
            broker.start()
            aws = Aws(broker)
        assert {policy["policyName"] for policy in aws.iot("list-policies")["policies"]} == {"answered", "killed"}
        found = [(record["eventName"], "additionalEventData" in record, record.get("errorCode")) for record in looked_up(aws)]
        assert found == [("SetV2LoggingOptions", True, None), ("CreatePolicy", True, None), ("CreatePolicy", False, None)]
        verified = json.loads(broker.run("audit", "verify", "--json").stdout)
        assert (verified["records"], verified["problems"]) == (4, [])
        broker.stop()
        broker.start()
        assert json.loads(broker.run("audit", "verify", "--json").stdout) == verified


def test_a_nearly_full_disk_does_not_stop_the_start_and_the_record_is_made_when_there_is_room(tmp_path):
    killed, full = tmp_path / "killed", tmp_path / "full"
    with Broker(tmp_path / "data", TIDEGATE_FAULT_KILL_AFTER_COMMIT=str(killed), TIDEGATE_FAULT_FULL_DISK=str(full)) as broker:
        broker.stop()
        broker.start()  # what a first start writes is written
        killed.touch()
        with pytest.raises(Exception):  # noqa: B017, PT011
            Aws(broker).iot("create-policy", "--policy-name", "killed", "--policy-document", POLICY)
        broker.process.wait(20)
        killed.unlink()
        full.touch()
        broker.start()
        aws = Aws(broker)
        assert [policy["policyName"] for policy in aws.iot("list-policies")["policies"]] == ["killed"]
        assert looked_up(aws) == []
        assert len(broker.log_entries(event_type="Audit", level="ERROR")) == 1
        full.unlink()
        (record,) = wait_for(lambda: looked_up(aws), "the record")
        assert record["eventName"] == "CreatePolicy"
        assert record["additionalEventData"] == {"recovered": "the record could not be written when the call was answered, or the process ended"}
        verified = json.loads(broker.run("audit", "verify", "--json").stdout)
        assert (verified["records"], verified["problems"]) == (1, [])
