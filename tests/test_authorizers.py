"""Custom authorizers: their life, the functions behind them, and clients of MQTT that come without a certificate."""

import base64
import json
import subprocess
import threading
import time
import uuid

import pytest

from support.aws import Aws, AwsError
from support.authorizers import aws, broker, function, iot, key, make  # noqa: F401
from support.authorizers import LIMIT, SECRET, named, person, refused, why
from support.broker import wait_for
from support.functions import ALLOW, SigningKey, answer, lambda_arn
from support.mqtt import V5, V311
from support.webhook import signed_by


def test_an_authorizer_lives_and_dies(broker, account, key):
    aws = Aws(broker, account)
    iot = aws.boto3()
    arn = f"arn:aws:iot:{aws.region}:{account.account_id}:authorizer/"
    made = aws.iot(
        "create-authorizer", "--authorizer-name", "one", "--authorizer-function-arn", lambda_arn(aws, "f"), "--token-key-name", "token",
        "--token-signing-public-keys", json.dumps({"first": key.public}), "--status", "ACTIVE", "--tags", "Key=k,Value=v",
    )  # fmt: skip
    assert made == {"authorizerName": "one", "authorizerArn": arn + "one"}
    seen = iot.describe_authorizer(authorizerName="one")["authorizerDescription"]
    assert seen["status"] == "ACTIVE" and seen["signingDisabled"] is False and seen["enableCachingForHttp"] is False
    assert seen["tokenSigningPublicKeys"] == {"first": key.public} and seen["creationDate"] == seen["lastModifiedDate"]
    assert iot.list_tags_for_resource(resourceArn=arn + "one")["tags"] == [{"Key": "k", "Value": "v"}]
    iot.untag_resource(resourceArn=arn + "one", tagKeys=["k"])
    assert iot.list_tags_for_resource(resourceArn=arn + "one")["tags"] == []

    create = lambda name, **more: iot.create_authorizer(authorizerName=name, authorizerFunctionArn="f", **more)  # noqa: E731
    for refusal, call in [
        ("ResourceAlreadyExistsException", lambda: create("one", signingDisabled=True)),
        ("InvalidRequestException", lambda: create("two")),
        ("InvalidRequestException", lambda: create("two", tokenKeyName="t", tokenSigningPublicKeys={"k": "no key"})),
        ("InvalidRequestException", lambda: create("t:wo", signingDisabled=True)),
        ("DeleteConflictException", lambda: iot.delete_authorizer(authorizerName="one")),
        ("ResourceNotFoundException", lambda: iot.delete_authorizer(authorizerName="none")),
        ("ResourceNotFoundException", iot.describe_default_authorizer),
        ("ResourceNotFoundException", iot.clear_default_authorizer),
    ]:
        with pytest.raises(iot.exceptions.ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] == refusal

    create("two", signingDisabled=True)
    assert [one["authorizerName"] for one in iot.list_authorizers(ascendingOrder=True)["authorizers"]] == ["one", "two"]
    assert [one["authorizerArn"] for one in iot.list_authorizers(status="INACTIVE")["authorizers"]] == [arn + "two"]
    first = iot.list_authorizers(pageSize=1)
    assert [one["authorizerName"] for one in first["authorizers"]] == ["two"]
    assert [one["authorizerName"] for one in iot.list_authorizers(pageSize=1, marker=first["nextMarker"])["authorizers"]] == ["one"]

    assert aws.iot("set-default-authorizer", "--authorizer-name", "two")["authorizerArn"] == arn + "two"
    assert iot.describe_default_authorizer()["authorizerDescription"]["authorizerName"] == "two"
    with pytest.raises(AwsError, match="ResourceAlreadyExistsException"):
        aws.iot("set-default-authorizer", "--authorizer-name", "one")
    with pytest.raises(AwsError, match="DeleteConflictException"):
        aws.iot("delete-authorizer", "--authorizer-name", "two")
    iot.clear_default_authorizer()
    aws.iot("update-authorizer", "--authorizer-name", "one", "--status", "INACTIVE")
    for name in ("one", "two"):
        iot.delete_authorizer(authorizerName=name)
    assert iot.list_authorizers()["authorizers"] == []


def test_a_function_is_tried_without_a_client(iot, make, function):
    process, webhook = make("process", status="INACTIVE"), make()
    tried = iot.test_invoke_authorizer(authorizerName=process, mqttContext={"username": "u", "password": b"p", "clientId": "c"})
    assert (tried["isAuthenticated"], tried["principalId"], tried["refreshAfterInSeconds"]) == (True, "anybody", 86400)
    assert json.loads(tried["policyDocuments"][0])["Version"] == "2012-10-17"
    denied = iot.test_invoke_authorizer(authorizerName=process, mqttContext={"username": "deny"})
    assert denied["isAuthenticated"] is False and "principalId" not in denied

    context = {"httpContext": {"headers": {"A": "b"}, "queryString": "?c=d"}, "tlsContext": {"serverName": "h"}}
    iot.test_invoke_authorizer(authorizerName=webhook, token="t", **context)
    headers, body = function.requests[-1]
    event = json.loads(body)
    assert signed_by(SECRET, headers, body) and headers["tidegate-function-arn"].endswith(":function:webhook")
    assert uuid.UUID(event.pop("connectionMetadata")["id"])
    assert event == {
        "token": "t", "signatureVerified": False, "protocols": ["tls", "http"],
        "protocolData": {"tls": {"serverName": "h"}, "http": {"headers": {"A": "b"}, "queryString": "?c=d"}},
    }  # fmt: skip
    for user in ("garbage", "exit", "huge", "wrong-principal", "wrong-interval", "wrong-policy", "many-policies", "wrong-type"):
        with pytest.raises(iot.exceptions.InvalidResponseException):
            iot.test_invoke_authorizer(authorizerName=process, mqttContext={"username": user})
    with pytest.raises(iot.exceptions.InvalidResponseException, match="no function is configured"):
        iot.test_invoke_authorizer(authorizerName=make("nothing"))
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.test_invoke_authorizer(authorizerName="none")


def test_a_function_that_hangs_is_given_up(iot, make):
    name, since = make("process"), time.monotonic()
    calls = [threading.Thread(target=lambda: hang(iot, name)) for _ in range(3)]
    [call.start() for call in calls]
    [call.join() for call in calls]
    assert LIMIT <= time.monotonic() - since < 4 * LIMIT
    left = subprocess.run(["pgrep", "-f", "authorizer_function.py"], capture_output=True, text=True).stdout
    assert not left.strip() or wait_for(
        lambda: not subprocess.run(["pgrep", "-f", "authorizer_function.py"], capture_output=True).stdout, "the end of the programs"
    )


def hang(iot, name):
    with pytest.raises(iot.exceptions.InvalidResponseException, match="did not answer"):
        iot.test_invoke_authorizer(authorizerName=name, mqttContext={"username": "hang"})


@pytest.mark.parametrize("version", [V311, V5], ids=["3.1.1", "5"])
@pytest.mark.parametrize("which", ["process", "webhook"])
def test_a_client_comes_in_by_user_name_and_password(broker, make, function, which, version):
    name = make(which)
    own = {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:iot:*:*:*/own/${iot:ClientId}/*"}
    connect = {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}
    function.reply = lambda event: answer(connect, own)
    with person(broker, named(name, "me"), "pa55word", version) as client:
        topic = f"own/{client.client_id}/a"
        assert [code.value for code in client.subscribe(topic, 1)] == [1]
        assert client.subscribe("others/#", 1)[0].value in (0x80, 0x87)
        client.publish(topic, b"mine")
        message = client.message()
        assert (message.topic, message.payload) == (topic, b"mine")
        if version == V5:
            assert client.publish("others/a", b"theirs").value == 0x87
    if which == "webhook":
        event = function.events[-1]
        assert event["protocols"] == ["tls", "mqtt"] and event["signatureVerified"] is False and "token" not in event
        assert event["protocolData"] == {
            "tls": {"serverName": broker.host},
            "mqtt": {"username": named(name, "me"), "password": base64.b64encode(b"pa55word").decode(), "clientId": client.client_id},
        }


def test_presence_names_who_the_function_says_it_is(broker, make, function):
    name = make()
    function.reply = lambda event: answer(ALLOW, principal="Somebody1")
    with person(broker, named(name)) as watcher:
        watcher.subscribe("$aws/events/presence/#", 1)
        with person(broker, named(name)) as client:
            event = json.loads(watcher.message().payload)
            assert (event["clientId"], event["eventType"], event["principalIdentifier"]) == (client.client_id, "connected", "Somebody1")


def test_a_token_must_be_signed(broker, aws, iot, make, function, key, tmp_path):
    other = SigningKey(tmp_path / "other")
    keys = {"old": other.public, "new": key.public}
    name = make(signingDisabled=False, tokenKeyName="token", tokenSigningPublicKeys=keys)
    token = "t0ken-of me+&="

    def with_signature(signature, token=token):
        return person(broker, named(name, token=token, **{"x-amz-customauthorizer-signature": signature}))

    for signer in (key, other):
        with with_signature(signer.sign(token)):
            event = function.events[-1]
            assert event["token"] == token and event["signatureVerified"] is True
    asked = len(function.requests)
    for client, reason in [
        (with_signature(key.sign("another")), "SECURITY_TOKEN_SIGNATURE_MISMATCH"),
        (with_signature("AAAA"), "SECURITY_TOKEN_SIGNATURE_MISMATCH"),
        (with_signature("no Base64!"), "CUSTOM_AUTHORIZER_PARAMETER_INVALID"),
        (person(broker, named(name, token=token)), "CUSTOM_AUTHORIZER_PARAMETER_INVALID"),
        (person(broker, named(name)), "CUSTOM_AUTHORIZER_PARAMETER_INVALID"),
    ]:
        refused(client)
        assert reason in why(broker, client.client_id)
    assert len(function.requests) == asked, "no function is asked about a token that nobody signed"
    tried = iot.test_invoke_authorizer(authorizerName=name, token=token, tokenSignature=key.sign(token))
    assert tried["isAuthenticated"] is True
    with pytest.raises(iot.exceptions.InvalidRequestException):
        iot.test_invoke_authorizer(authorizerName=name, token=token, tokenSignature=key.sign("another"))


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        ("deny", "NOT_AUTHENTICATED"), ("garbage", "CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR"),
        ("exit", "CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR"), ("huge", "CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR"),
        ("hang", "CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR"), ("wrong-policy", "CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR"),
        ("wrong-principal", "CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR"), ("no-connect", "AUTHORIZATION_FAILURE"),
    ],
)  # fmt: skip
def test_a_hostile_function_lets_nobody_in(broker, make, user, reason):
    client = person(broker, named(make("process"), user), "x")
    since = time.monotonic()
    assert "Not authorized" in str(refused(client))
    assert time.monotonic() - since < 4 * LIMIT
    said = why(broker, client.client_id)
    assert reason in said


def test_who_is_asked(broker, iot, make, function):
    for user_name, reason in [
        (named("none"), "CUSTOM_AUTHORIZER_NOT_FOUND"), (named("no name!"), "CUSTOM_AUTHORIZER_NOT_FOUND"),
        (named(make(status="INACTIVE")), "CUSTOM_AUTHORIZER_NOT_FOUND"), (None, "NOT_AUTHENTICATED"), ("me", "NOT_AUTHENTICATED"),
        (named(make("nothing")), "CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR"),
    ]:  # fmt: skip
        client = person(broker, user_name)
        refused(client)
        assert reason in why(broker, client.client_id), user_name
    iot.set_default_authorizer(authorizerName=make())
    asked = len(function.requests)
    with person(broker, "me", "pa55word"), person(broker):
        assert len(function.requests) == asked + 2
    gone = make()
    with person(broker, named(gone)) as client:
        iot.update_authorizer(authorizerName=gone, status="INACTIVE")
        iot.delete_authorizer(authorizerName=gone)
        refused(person(broker, named(gone)))
        client.publish("a", b"still here")


def test_a_connection_ends_when_its_time_is_over(broker, make, function):
    name = make()
    with person(broker, named(name)) as watcher:
        watcher.subscribe("$aws/events/presence/disconnected/#", 1)
        function.reply = lambda event: answer(ALLOW, disconnect=1)
        client = person(broker, named(name)).connect()
        assert client.wait_closed().value == 0xA0
        event = json.loads(watcher.message().payload)
        assert (event["clientId"], event["disconnectReason"]) == (client.client_id, "CUSTOM_AUTH_TTL_EXPIRATION")


def test_policies_are_renewed_as_the_function_says(broker, make, function):
    name, may = make(), {"Effect": "Allow", "Action": ["iot:Connect", "iot:Subscribe"], "Resource": "*"}
    receive = {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": "*"}
    replies = [answer(may, refresh=1)]
    function.reply = lambda event: replies[-1]
    client = person(broker, named(name, "me"), "pa55word").connect()
    assert client.publish("a", b"x").value == 0x87
    replies.append(answer(may, receive, refresh=1))
    wait_for(lambda: client.publish("a", b"x").value == 0 or client.publish("a", b"x").value == 0x10, "other policies")
    event = [event for event in function.events if event["protocolData"]["mqtt"]["clientId"] == client.client_id]
    assert len(event) > 1 and all(one == event[0] for one in event), "it is asked the same again"
    replies.append("garbage")
    assert client.wait_closed().value == 0x87


def test_a_function_that_fails_later_changes_nothing(broker, make, function):
    name = make()
    replies = [answer(ALLOW, refresh=1)]
    function.reply = lambda event: replies[-1]
    with person(broker, named(name)) as client:
        function.answers[:] = [500]
        asked = len(function.requests)
        wait_for(lambda: len(function.requests) > asked + 1, "two more questions")
        function.answers[:] = [(200, function.speak)]
        client.publish("a", b"still here")
        replies.append({"isAuthenticated": False})
        assert client.wait_closed().value == 0x87


def test_without_functions_a_certificate_is_asked_for(own_broker):
    aws = Aws(own_broker)
    aws.boto3().create_authorizer(authorizerName="a", authorizerFunctionArn=lambda_arn(aws, "f"), signingDisabled=True, status="ACTIVE")
    refused(person(own_broker, named("a")))
    with pytest.raises(aws.boto3().exceptions.InvalidResponseException, match="no function is configured"):
        aws.boto3().test_invoke_authorizer(authorizerName="a")
