"""The data plane through the API: `aws iot-data` and boto3 publish, read what is retained, look at connections and end them."""

import base64
import json
import ssl
import urllib.request
import uuid

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from support.aws import CLI_V2, Aws, device_of, register_ca
from support.broker import wait_for
from support.mqtt import V5, Client
from support.pki import Ca


@pytest.fixture(scope="module")
def aws(broker):
    return Aws(broker, broker.create_account())


@pytest.fixture(scope="module")
def device(aws, tmp_path_factory):
    ca = Ca(tmp_path_factory.mktemp("data-ca"), f"Test CA {uuid.uuid4().hex}")
    register_ca(aws, ca)
    return device_of(aws, ca, "data")


@pytest.fixture(scope="module")
def data(aws):
    return aws.boto3("iot-data")


def refused(code, call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == code, error.value
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_message_arrives_with_all_its_properties(broker, device, data):
    with Client(broker, device, version=V5) as client:
        client.subscribe("a/+/c", 1)
        data.publish(
            topic="a/b c/c", qos=1, payload=b"\x00\xff", contentType="image/x", responseTopic="answers/here", correlationData="AAEC",
            userProperties=[{"k": "1"}, {"k": "2"}, {"l": "ü"}], payloadFormatIndicator="UNSPECIFIED_BYTES", messageExpiry=60,
        )  # fmt: skip
        message = client.message()
    assert (message.topic, message.payload, message.qos, message.retain) == ("a/b c/c", b"\x00\xff", 1, False)
    sent = message.properties
    assert (sent.ContentType, sent.ResponseTopic, sent.CorrelationData) == ("image/x", "answers/here", b"\x00\x01\x02")
    assert sent.UserProperty == [("k", "1"), ("k", "2"), ("l", "ü")]
    assert sent.PayloadFormatIndicator == 0 and 0 < sent.MessageExpiryInterval <= 60


@pytest.mark.parametrize("cli", [None, CLI_V2], ids=["v1", "v2"])
def test_both_command_lines_publish(broker, aws, device, cli):
    topic = f"cli/{uuid.uuid4().hex}/$x"
    payload = "hello" if cli is None else base64.b64encode(b"hello").decode()
    with Client(broker, device) as client:
        client.subscribe(topic, 1)
        Aws(broker, aws.account, cli=cli)("iot-data", "publish", "--topic", topic, "--payload", payload)
        message = client.message()
    assert (message.topic, message.payload, message.qos) == (topic, b"hello", 0)


def test_what_cannot_be_published_is_refused(data):
    for topic in ("a/#", "+", "a\0b"):
        assert refused("InvalidRequestException", data.publish, topic=topic, payload=b"x") == 400, topic
    for topic in ("$aws/events/certificates/registered/x", "$aws/events/presence/connected/x", "$SYS/broker/version", "$aws/rules"):
        assert refused("ForbiddenException", data.publish, topic=topic, payload=b"x") == 403, topic
    for arguments in ({"correlationData": "!"}, {"messageExpiry": 0}, {"responseTopic": "a/#"}, {"userProperties": '{"a": 1}'}, {"qos": 2}):
        assert refused("InvalidRequestException", data.publish, topic="t", payload=b"x", **arguments) == 400, arguments


def test_retained_messages_are_read_listed_and_deleted(broker, aws, data):
    other = Aws(broker, broker.create_account()).boto3("iot-data")
    topics = [f"retained/{index}" for index in range(5)]
    for topic in topics:
        data.publish(topic=topic, qos=1, retain=True, payload=topic.encode(), userProperties=json.dumps([{"n": topic}]))
    got = data.get_retained_message(topic="retained/3")
    assert (got["topic"], got["payload"], got["qos"]) == ("retained/3", b"retained/3", 1)
    assert json.loads(got["userProperties"]) == [{"n": "retained/3"}] and got["lastModifiedTime"] > 1.7e12
    pages = list(data.get_paginator("list_retained_messages").paginate(PaginationConfig={"PageSize": 2}))
    listed = [summary for page in pages for summary in page["retainedTopics"]]
    assert len(pages) > 2 and sorted(summary["topic"] for summary in listed) == topics
    assert {(summary["payloadSize"], summary["qos"]) for summary in listed} == {(10, 1)}
    assert refused("ResourceNotFoundException", other.get_retained_message, topic="retained/3") == 404
    assert other.list_retained_messages()["retainedTopics"] == []
    refused("InvalidRequestException", data.list_retained_messages, nextToken="x")
    data.publish(topic="retained/3", retain=True, payload=b"")
    refused("ResourceNotFoundException", data.get_retained_message, topic="retained/3")


def test_what_was_answered_survives_kill_9(own_broker, tmp_path):
    aws = Aws(own_broker)
    ca = Ca(tmp_path / "ca", "Test CA of a broker that dies")
    register_ca(aws, ca)
    device = device_of(aws, ca, "kept")
    with Client(own_broker, device, client_id="kept", clean=False) as client:
        client.subscribe("kept/#", 1)
    data = aws.boto3("iot-data")
    for index in range(20):
        data.publish(topic=f"kept/{index}", qos=1, payload=str(index).encode())
    data.publish(topic="kept/retained", retain=True, payload=b"x")
    before = data.get_retained_message(topic="kept/retained")
    own_broker.kill()
    own_broker.start()
    with Client(own_broker, device, client_id="kept", clean=False) as client:
        assert client.session_present
        assert [client.message().payload for _ in range(20)] == [str(index).encode() for index in range(20)]
    after = Aws(own_broker).boto3("iot-data").get_retained_message(topic="kept/retained")
    assert (after["payload"], after["lastModifiedTime"]) == (before["payload"], before["lastModifiedTime"])


def test_a_connection_is_ended_its_session_and_will_too(broker, device, data):
    with Client(broker, device) as watcher:
        watcher.subscribe("wills/#", 1)
        for prevented in (False, True):
            name = f"ended-{uuid.uuid4().hex[:8]}"
            client = Client(broker, device, client_id=name, version=V5, clean=True)
            client.paho.will_set(f"wills/{name}", "gone", 1)
            client.connect()
            data.delete_connection(clientId=name, cleanSession=True, preventWillMessage=prevented)
            wait_for(client.closed.is_set, "the end")
            assert client.close_reason.value == 0x98
            assert refused("ResourceNotFoundException", data.delete_connection, clientId=name) == 404
            if not prevented:
                assert watcher.message().topic == f"wills/{name}"
        data.publish(topic="wills/last", payload=b"")
        assert watcher.message().topic == "wills/last"


def test_a_connection_is_looked_up_while_it_lasts_and_after(broker, device, data):
    name = f"looked-{uuid.uuid4().hex[:8]}"
    assert refused("ResourceNotFoundException", data.get_connection, clientId=name) == 404
    with Client(broker, device, client_id=name, clean=False, keep_alive=77):
        here = data.get_connection(clientId=name, includeSocketInformation=True)
        assert (here["connected"], here["cleanSession"], here["keepAliveDuration"], here["sourceIp"]) == (True, False, 77, "127.0.0.1")
        assert here["sessionExpiry"] > 0 and here["connectedSince"] > 1.7e12 and "disconnectedSince" not in here
        assert "sourceIp" not in data.get_connection(clientId=name)
    gone = wait_for(lambda: (one := data.get_connection(clientId=name)) and not one["connected"] and one, "the end")
    assert gone["disconnectReason"] == "CLIENT_INITIATED_DISCONNECT" and gone["disconnectedSince"] >= here["connectedSince"]
    data.delete_connection(clientId=name, cleanSession=True)
    gone = data.get_connection(clientId=name)
    assert (gone["connected"], gone["cleanSession"]) == (False, False)


def test_a_session_that_is_away_is_ended_only_when_asked_to(broker, device, data):
    name = f"away-{uuid.uuid4().hex[:8]}"
    with Client(broker, device, client_id=name, clean=False) as client:
        client.subscribe("x", 1)
    refused("ResourceNotFoundException", data.delete_connection, clientId=name)
    data.delete_connection(clientId=name, cleanSession=True)
    with Client(broker, device, client_id=name, clean=False) as client:
        assert not client.session_present


def test_subscriptions_are_listed_in_pages(broker, aws, device, data):
    other = Aws(broker, broker.create_account()).boto3("iot-data")
    name = f"listed-{uuid.uuid4().hex[:8]}"
    with Client(broker, device, client_id=name) as client:
        for index in range(7):
            client.subscribe(f"f/{index}/#", index % 2)
        found, token = [], {}
        while True:
            page = data.list_subscriptions(clientId=name, maxResults=3, **token)
            assert len(page["subscriptions"]) <= 3
            found += page["subscriptions"]
            if "nextToken" not in page:
                break
            token = {"nextToken": page["nextToken"]}
        assert found == [{"topicFilter": f"f/{index}/#", "qos": index % 2} for index in range(7)]
        refused("ResourceNotFoundException", other.list_subscriptions, clientId=name)
        refused("ResourceNotFoundException", other.delete_connection, clientId=name)
    refused("InvalidRequestException", data.list_subscriptions, clientId="$x")


def test_a_name_of_the_older_kind_in_the_signature_is_the_data_plane_too(broker, aws, device):
    """Raw HTTPS requests are signed as `iotdevicegateway`."""
    url = f"{broker.env['AWS_ENDPOINT_URL']}/topics/raw%2Ftopic?qos=1"
    credentials = Credentials(aws.account.access_key_id, aws.account.secret_access_key)
    request = AWSRequest("POST", url, data=b"raw")
    SigV4Auth(credentials, "iotdevicegateway", aws.region).add_auth(request)
    with Client(broker, device) as client:
        client.subscribe("raw/topic", 1)
        sent = urllib.request.Request(url, b"raw", dict(request.headers), method="POST")
        with urllib.request.urlopen(sent, context=ssl.create_default_context(cafile=broker.ca_file)) as answer:
            assert answer.status == 200
        assert client.message().payload == b"raw"
