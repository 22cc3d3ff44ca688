"""MQTT over WebSocket by IAM users and roles, who sign the request that begins it, and need no certificate."""

import json
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from support.aws import Aws
from support.broker import Broker
from support.iam import EVERYTHING, document, make_user, with_key
from support.mqtt import V5, V311, Client, Closed, connect_packet
from support.programs import Kind, Program, awsiotsdk, mqttjs
from support.signing import presigned_path

SIGNING = [
    *(Kind("mqttjs", mqttjs, version, "wss") for version in (4, 5)),
    *(Kind("awsiotsdk", awsiotsdk, version, "wss", qos_max=1) for version in (4, 5)),
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("signed") / "data", "[mqtt]\nwebsocket = true\n") as running:
        yield running


def host(broker):
    return f"{broker.host}:{broker.port}"


def web(aws, client_id=None, version=V5, **signing):
    """A paho client whose request is signed with the key, or session, of `aws`; not connected yet."""
    client = Client(aws.broker, None, client_id, version=version, transport="websockets")
    client.paho.ws_set_options(path=presigned_path(aws, host(aws.broker), **signing))
    return client


def upgrade(broker, target, header=""):
    """What is answered to a request for a WebSocket without a certificate."""
    context = ssl.create_default_context(cafile=broker.ca_file)
    with socket.create_connection((broker.host, broker.port), 30) as raw, context.wrap_socket(raw, server_hostname=broker.host) as sock:
        sock.sendall(
            f"GET {target} HTTP/1.1\r\nHost: {host(broker)}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{header}"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        return sock.recv(65536).decode()


def arn(aws, resource):
    return f"arn:aws:iot:{aws.region}:{aws.account.account_id}:{resource}"


def allow(action, *resources):
    return {"Effect": "Allow", "Action": action, "Resource": list(resources)}


@pytest.mark.parametrize("service", ["iotdevicegateway", "iotdata"])
@pytest.mark.parametrize("version", [V311, V5], ids=["3.1.1", "5"])
def test_the_policies_of_who_signs_decide(aws, version, service):
    statements = [
        allow("iot:Connect", arn(aws, "client/web-*")),
        allow("iot:Publish", arn(aws, "topic/own/${aws:username}/*")),
        allow("iot:Subscribe", arn(aws, "topicfilter/own/*")),
        allow("iot:Receive", arn(aws, "topic/own/*")),
        {"Effect": "Deny", "Action": "iot:Receive", "Resource": arn(aws, "topic/own/*/secret")},
    ]
    user = make_user(aws, "u", *statements)
    with web(user, f"web-{service}", version, service=service, expires=None) as client, web(aws, version=version) as root:
        assert [code.value for code in client.subscribe("own/#")] == [1]
        assert [code.value for code in client.subscribe("other/#")] in ([0x80], [0x87])
        root.publish("own/x/secret", b"not for all")
        client.publish("own/u/a", b"mine")
        message = client.message()
        assert (message.topic, message.payload) == ("own/u/a", b"mine")
        if version == V5:
            assert client.publish("own/another/a", b"theirs").value == 0x87
    with pytest.raises(Closed):
        web(user, f"other-{service}", version).connect()


@pytest.mark.parametrize("kind", SIGNING, ids=str)
def test_libraries_sign_for_themselves(aws, kind):
    user = make_user(aws, "u", EVERYTHING)
    signed = {
        "url": f"wss://{host(aws.broker)}{presigned_path(user, host(aws.broker))}", "region": user.region,
        "accessKeyId": user.account.access_key_id, "secretAccessKey": user.account.secret_access_key, "sessionToken": None,
    }  # fmt: skip
    with Program(kind, aws.broker, None, signed=signed) as client, web(aws) as other:
        assert client.subscribe("to/client") == [1]
        other.subscribe("to/other")
        client.publish("to/other", "hello")
        assert other.message().payload == b"hello"
        other.publish("to/client", b"and back")
        assert client.message()["payload"] == "and back"
    wrong = signed | {"url": signed["url"].replace("X-Amz-Signature=", "X-Amz-Signature=0"), "secretAccessKey": "x" * 40}
    with pytest.raises(Closed), Program(kind, aws.broker, None, signed=wrong):
        pass


@pytest.mark.parametrize("token_inside", [False, True], ids=["outside", "inside"])
def test_a_role_connects_until_it_is_gone(aws, token_inside):
    iam, user = aws.boto3("iam"), make_user(aws, "u")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{aws.account.account_id}:user/u"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="r", PolicyName="own", PolicyDocument=document(EVERYTHING))
    narrow = document(allow(["iot:Connect", "iot:Publish"], "*"))
    session = with_key(aws, user.boto3("sts").assume_role(RoleArn=role, RoleSessionName="web", Policy=narrow)["Credentials"])
    with web(aws) as root, web(session, token_inside=token_inside) as client:
        root.subscribe("a/b")
        client.publish("a/b", b"from a role")
        assert root.message().payload == b"from a role"
        assert [code.value for code in client.subscribe("a/b")] == [0x87]
        iam.delete_role_policy(RoleName="r", PolicyName="own")
        assert client.publish("a/b", b"no more").value == 0x87
        assert not client.closed.is_set()
        iam.delete_role(RoleName="r")
        assert client.closed.wait(30)


def test_a_key_that_is_deleted_or_made_inactive_takes_its_connections_with_it(aws):
    iam, first = aws.boto3("iam"), make_user(aws, "u", EVERYTHING)
    second = with_key(aws, iam.create_access_key(UserName="u")["AccessKey"])
    session = with_key(aws, second.boto3("sts").get_session_token()["Credentials"])
    with web(first) as one, web(second) as two, web(session) as three, web(aws) as root:
        root.subscribe("alive")
        iam.update_access_key(UserName="u", AccessKeyId=first.account.access_key_id, Status="Inactive")
        assert one.closed.wait(30)
        for client in (two, three):
            client.publish("alive", b"yes")
            assert root.message().payload == b"yes"
        iam.delete_access_key(UserName="u", AccessKeyId=second.account.access_key_id)
        assert two.closed.wait(30) and three.closed.wait(30)
        assert root.silent()
    for user in (first, second, session):
        with pytest.raises(Exception):  # noqa: B017, PT011: paho has an error of its own for 403
            web(user).connect()


def test_an_event_names_who_signed(aws):
    user = make_user(aws, "u", EVERYTHING)
    with web(aws) as root:
        root.subscribe("$aws/events/presence/#")
        client_id = "named-in-an-event"
        with web(user, client_id):
            event = json.loads(root.message().payload)
    assert (event["clientId"], event["principalIdentifier"]) == (client_id, f"arn:aws:iam::{aws.account.account_id}:user/u")


def test_whoever_is_not_who_they_sign_for_stays_outside(aws):
    broker, user = aws.broker, make_user(aws, "u", EVERYTHING)
    good = presigned_path(user, host(broker))
    assert upgrade(broker, good).startswith("HTTP/1.1 101 ")
    other = Aws(broker, broker.create_account())
    yesterday, tomorrow = (datetime.now(UTC) + timedelta(days=days) for days in (-2, 1))
    signature = good[-1]
    for target, words in [
        ("/mqtt", "sign the request"),
        (good[:-1] + ("0" if signature != "0" else "1"), "The request signature we calculated does not match"),
        (good.replace("X-Amz-Expires=86400", "X-Amz-Expires=86399"), "does not match"),
        (good.replace("/mqtt?", "/mqtt?a=b&"), "does not match"),
        (good.replace(user.account.access_key_id, other.account.access_key_id), "does not match"),
        (good.replace(user.account.access_key_id, "AKIA" + "A" * 16), "The security token included in the request is invalid"),
        (good.replace("X-Amz-Signature", "X-Amz-Sign"), "sign the request"),
        (good + "&X-Amz-Security-Token=" + "A" * 400, "The security token included in the request is invalid"),
        (presigned_path(user, host(broker), at=yesterday), "Signature expired"),
        (presigned_path(user, host(broker), at=tomorrow), "Signature not yet current"),
        (presigned_path(user, host(broker), at=datetime.now(UTC) - timedelta(minutes=6), expires=None), "Signature expired"),
        (presigned_path(user, host(broker), expires=86401), "X-Amz-Expires"),
        (presigned_path(user, host(broker), service="sts"), "scoped to correct service"),
        (presigned_path(user, host(broker), region="nowhere"), "region"),
        (presigned_path(user, "elsewhere"), "does not match"),
        (presigned_path(user, host(broker), secret="x" * 40), "does not match"),
    ]:
        answer = upgrade(broker, target)
        assert answer.startswith("HTTP/1.1 403 Forbidden\r\n"), (target, answer)
        assert words in answer, (target, answer)
    assert upgrade(broker, "/mqtt?" + "a" * 20_000).startswith("HTTP/1.1 431 ")
    assert upgrade(broker, "/mqtt", "Authorization: AWS4-HMAC-SHA256 nothing\r\n").startswith("HTTP/1.1 403 ")
    refusals = broker.log_entries(eventType="Connection.AuthNError", authenticationType="AWS_X509", reason="NOT_AUTHENTICATED")
    assert any("does not match" in entry["details"] for entry in refusals)
    assert all(user.account.secret_access_key not in json.dumps(entry) for entry in refusals)


def test_without_a_certificate_nothing_but_a_signed_websocket_is_spoken(aws):
    broker = aws.broker
    context = ssl.create_default_context(cafile=broker.ca_file)
    for first in (connect_packet("c"), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /topics/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"):
        with socket.create_connection((broker.host, broker.port), 30) as raw, context.wrap_socket(raw, server_hostname=broker.host) as sock:
            sock.sendall(first)
            answer = b"".join(iter(lambda sock=sock: sock.recv(65536), b""))
            assert answer == b"" or answer[0] == 0x20 and answer[3] != 0 or answer.startswith(b"HTTP/1.1 4"), answer
    # Who agrees on MQTT by ALPN must show one.
    context.set_alpn_protocols(["x-amzn-mqtt-ca"])
    with pytest.raises(ssl.SSLError), socket.create_connection((broker.host, broker.port), 30) as raw:
        with context.wrap_socket(raw, server_hostname=broker.host) as sock:
            sock.recv(1)
