"""The audit trail: what is recorded, that it cannot be changed unseen, and `aws cloudtrail lookup-events`."""

import json

import pytest

from support.aws import CLI_V2, Aws, AwsError
from support.broker import Broker

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
    update, create_keys, refused, created = looked_up(aws)
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
    assert looked_up(Aws(broker, broker.create_account())) == []
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
