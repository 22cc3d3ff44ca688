"""Logging options, and what `aws logs` reads of AWSIotLogsV2."""

import json
import subprocess
import time

import pytest
from botocore.exceptions import ClientError

from support.aws import CLI_V2, Aws, AwsError, device_of, register_ca
from support.broker import PATIENCE, Broker, wait_for
from support.iam import make_user
from support.mqtt import V5, Client, Closed

ROLE = ("--role-arn", "arn:aws:iam::123456789012:role/logs")


def entries(aws, pattern="", group="AWSIotLogsV2", **options):
    """The messages that FilterLogEvents finds, page by page."""
    pages = aws.boto3("logs").get_paginator("filter_log_events")
    found = pages.paginate(logGroupName=group, filterPattern=pattern, **options)
    return [event["message"] for page in found for event in page["events"]]


def of(aws, client_id, event_type, count=1):
    """The entries of a client and a kind, once there are so many."""
    pattern = f'{{ $.clientId = "{client_id}" && $.eventType = "{event_type}" }}'
    found = wait_for(lambda: (lambda all: all if len(all) >= count else None)(entries(aws, pattern)), f"{event_type} of {client_id}")
    return [json.loads(message) for message in found]


@pytest.fixture
def device(aws, ca):
    register_ca(aws, ca)
    return device_of(aws, ca)


def test_options_are_set_read_and_refused(aws):
    for operation in ("get-v2-logging-options", "list-v2-logging-levels"):
        with pytest.raises(AwsError) as refused:
            aws.iot(operation)
        assert refused.value.code == "NotConfiguredException"
    aws.iot("set-v2-logging-options", *ROLE, "--default-log-level", "WARN")
    assert aws.iot("get-v2-logging-options") == {"roleArn": ROLE[1], "defaultLogLevel": "WARN", "disableAllLogs": False}
    aws.iot("set-v2-logging-level", "--log-target", "targetType=CLIENT_ID,targetName=c", "--log-level", "DEBUG")
    listed = aws.iot("list-v2-logging-levels")["logTargetConfigurations"]
    assert listed == [
        {"logTarget": {"targetType": "DEFAULT"}, "logLevel": "WARN"},
        {"logTarget": {"targetType": "CLIENT_ID", "targetName": "c"}, "logLevel": "DEBUG"},
    ]
    aws.iot("delete-v2-logging-level", "--target-type", "CLIENT_ID", "--target-name", "c")
    assert len(aws.iot("list-v2-logging-levels")["logTargetConfigurations"]) == 1
    aws.iot("set-logging-options", "--logging-options-payload", "roleArn=r,logLevel=INFO")
    assert aws.iot("get-logging-options") == {"roleArn": "r", "logLevel": "INFO"}


def test_levels_decide_what_a_client_leaves_behind(broker, aws, device):
    aws.iot("set-v2-logging-options", *ROLE, "--default-log-level", "ERROR")
    aws.iot("set-v2-logging-level", "--log-target", "targetType=CLIENT_ID,targetName=loud", "--log-level", "INFO")
    for name in ("quiet", "loud"):
        with Client(broker, device, name, V5) as client:
            client.subscribe("t/+")
            client.publish("t/1", b"x", retain=True)
            client.message()
    connect = of(aws, "loud", "Connect")[0]
    assert {"timestamp", "logLevel", "traceId", "accountId", "status", "protocol", "principalId", "sourceIp", "sourcePort"} <= set(connect)
    assert (connect["status"], connect["logLevel"], connect["principalId"]) == ("Success", "INFO", device.certificate_id)
    assert of(aws, "loud", "Subscribe")[0]["subscriptions"] == [{"topicName": "t/+", "reasonCode": 1}]
    publish = of(aws, "loud", "Publish-In")[0]
    assert (publish["topicName"], publish["retain"], publish["traceId"]) == ("t/1", "True", connect["traceId"])
    assert of(aws, "loud", "Publish-Out")[0]["topicName"] == "t/1"
    assert of(aws, "loud", "Disconnect")[0]["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT"
    assert entries(aws, '{ $.clientId = "quiet" }') == []
    aws.iot("set-v2-logging-options", "--disable-all-logs")
    with Client(broker, device, "loud") as client:
        client.publish("t/2")
    assert entries(aws, '"t/2"') == []


def test_entries_are_found_by_pattern_time_stream_and_page(broker, aws, device):
    aws.iot("set-v2-logging-options", *ROLE, "--default-log-level", "INFO")
    aws.iot("set-logging-options", "--logging-options-payload", "roleArn=r,logLevel=INFO")
    start = int(time.time() * 1000)
    with Client(broker, device, "pages") as client:
        for number in range(30):
            client.publish(f"pages/{number}", b"")
    of(aws, "pages", "Publish-In", 30)
    of(aws, "pages", "Disconnect")
    whole = entries(aws)
    assert entries(aws, PaginationConfig={"PageSize": 7}) == whole
    assert len(entries(aws, '"pages/17"')) == 1
    assert entries(aws, startTime=start - 3_600_000, endTime=start - 60_000) == []
    logs = aws.boto3("logs")
    groups = logs.describe_log_groups(logGroupNamePrefix="AWSIotLogsV2")["logGroups"]
    assert groups[0]["arn"].endswith(":log-group:AWSIotLogsV2:*") and groups[0]["storedBytes"] > 0
    stream = logs.describe_log_streams(logGroupName="AWSIotLogsV2", descending=True)["logStreams"][0]["logStreamName"]
    page = logs.get_log_events(logGroupName="AWSIotLogsV2", logStreamName=stream, startFromHead=True, limit=20)
    read = [event["message"] for event in page["events"]]
    while page["events"]:
        page = logs.get_log_events(logGroupName="AWSIotLogsV2", logStreamName=stream, nextToken=page["nextForwardToken"], limit=20)
        read += [event["message"] for event in page["events"]]
    assert read == whole
    newest = logs.get_log_events(logGroupName="AWSIotLogsV2", logStreamName=stream, limit=3)["events"]
    assert [event["message"] for event in newest] == whole[-3:]
    lines = entries(aws, group="AWSIotLogs")
    assert len(lines) == len(whole) and any("EVENT:Publish-In" in line and 'TOPICNAME:"pages/3"' in line for line in lines)
    for wrong in ({"filterPattern": "%x%"}, {"filterPattern": "{ $.a ="}, {"nextToken": "x"}):
        with pytest.raises(logs.exceptions.InvalidParameterException):
            logs.filter_log_events(logGroupName="AWSIotLogsV2", **wrong)
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.filter_log_events(logGroupName="nobody")


def test_aws_logs_tail_follows(broker, account, aws, device):
    """By v2 of the CLI: v1 has no `tail`."""
    aws.iot("set-v2-logging-options", *ROLE, "--default-log-level", "INFO")
    with Client(broker, device, "before"):
        pass
    of(aws, "before", "Disconnect")
    command = [CLI_V2, "logs", "tail", "AWSIotLogsV2", "--follow", "--since", "1h", "--endpoint-url", broker.env["AWS_ENDPOINT_URL"]]
    with subprocess.Popen(command, env=aws.environment, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL) as tail:
        try:
            assert next(line for line in tail.stdout if '"before"' in line)
            with Client(broker, device, "after"):
                pass
            assert next(line for line in tail.stdout if '"after"' in line)
        finally:
            tail.kill()


def test_another_account_sees_nothing_and_entries_survive_kill(tmp_path):
    with Broker(tmp_path / "data") as broker:
        aws = Aws(broker)
        aws.iot("set-v2-logging-options", *ROLE, "--default-log-level", "INFO")
        device = aws.iot("create-keys-and-certificate", "--set-as-active", "--certificate-pem-outfile", tmp_path / "d.pem", "--private-key-outfile", tmp_path / "d.key")
        from support.pki import Device

        with pytest.raises(Closed):
            Client(broker, Device(tmp_path / "d.pem", tmp_path / "d.key"), "kept").connect()
        refused = of(aws, "kept", "Connect")
        assert refused[0]["principalId"] == device["certificateId"]
        other = Aws(broker, broker.create_account())
        assert entries(other) == []
        broker.kill()
        broker.start()
        assert of(Aws(broker), "kept", "Connect") == refused
        why = broker.run("why", "kept", "--json").stdout
        assert json.loads(why)[0]["entry"]["reason"] == "AUTHORIZATION_FAILURE"
        assert broker.stop() == 0 and PATIENCE


def test_calls_of_the_data_plane_have_their_entries(broker, aws, device):
    aws.iot("set-v2-logging-options", *ROLE, "--default-log-level", "INFO")
    data = aws.boto3("iot-data")
    with Client(broker, device, "asked", V5) as client:
        client.subscribe("data/+")
        data.publish(topic="data/a b", qos=1, retain=True, payload=b"x")
        request_id = data.get_retained_message(topic="data/a b")["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]
        data.list_retained_messages()
        data.list_subscriptions(clientId="asked")
        data.get_connection(clientId="asked")
        data.delete_connection(clientId="asked")
    user = make_user(aws, "nobody")
    for call in (lambda: user.boto3("iot-data").get_thing_shadow(thingName="t"), lambda: data.get_retained_message(topic="nothing")):
        with pytest.raises(ClientError):
            call()

    def found():
        all = [json.loads(message) for message in entries(aws, '{ $.protocol = "HTTP" }')]
        return all if len(all) >= 8 else None

    published, retained, listed, subscriptions, connection, deleted, forbidden, missing = wait_for(found, "all entries")
    assert [entry["eventType"] for entry in (published, retained, listed, subscriptions, connection, deleted)] == [
        "Publish-In", "GetRetainedMessage", "ListRetainedMessage", "ListSubscriptions", "GetConnection", "DeleteConnection",
    ]  # fmt: skip
    assert {entry["sourceIp"] for entry in (published, deleted, missing)} == {"127.0.0.1"}
    assert (published["topicName"], published["retain"], published["principalId"]) == ("data/a b", "True", aws.account.account_id)
    assert (retained["topicName"], retained["qos"], retained["traceId"]) == ("data/a b", "1", request_id)
    assert retained["lastModifiedDate"][:10] == retained["timestamp"][:10]
    assert {entry["clientId"] for entry in (subscriptions, connection, deleted)} == {"asked"}
    assert (forbidden["eventType"], forbidden["status"], forbidden["reason"]) == ("GetThingShadow", "Failure", "AUTHORIZATION_FAILURE")
    assert (missing["eventType"], missing["logLevel"], "reason" in missing) == ("GetRetainedMessage", "ERROR", False)
