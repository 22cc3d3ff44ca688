"""Custom authorizers: their life, the functions behind them, and clients that come without a certificate."""

import base64
import contextlib
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

import pytest
import urllib3

from support.aws import Aws, AwsError
from support.broker import PATIENCE, ROOT, Broker, wait_for
from support.functions import ALLOW, PROCESS, SigningKey, answer, lambda_arn
from support.mqtt import V5, V311, Client, Closed
from support.webhook import Webhook, signed_by

SECRET = b"a secret of thirty-two bytes, yes"
LIMIT = 5  # seconds that a function may take


class Function(Webhook):
    """A webhook that answers events with what `reply` makes of them: a dict, a text, or a status."""

    def __init__(self):
        self.reply = lambda event: answer(ALLOW)
        super().__init__((200, self.speak))

    def speak(self, event):
        said = self.reply(event)
        return said if isinstance(said, str) else json.dumps(said)

    @property
    def events(self):
        return [json.loads(body) for _, body in self.requests]


@pytest.fixture(scope="module")
def function():
    with Function() as running:
        yield running


@pytest.fixture(scope="module")
def broker(tmp_path_factory, function):
    directory = tmp_path_factory.mktemp("authorizers")
    (directory / "secret").write_bytes(SECRET)
    config = f"""
{PROCESS}
[[function]]
name = "webhook"
url = "{function.url}"
secret_file = "secret"
private_addresses = true
[authorizers]
interval_s_min = 1
[mqtt]
websocket = true
https = true
"""
    with Broker(directory / "data", config) as running:
        yield running
        assert running.process.poll() is None, "the broker ended"
        log = running.log.read_text(errors="replace")
        assert "panicked" not in log
        for secret in ("pa55word", "t0ken-of"):
            assert secret not in log, "a secret is in the log"


@pytest.fixture(scope="module")
def aws(broker):
    return Aws(broker)


@pytest.fixture(scope="module")
def iot(aws):
    return aws.boto3()


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return SigningKey(tmp_path_factory.mktemp("token"))


@pytest.fixture
def make(aws, iot, function):
    """Makes authorizers without signing, and deletes what is left of them."""
    made = []
    function.reply = lambda event: answer(ALLOW)
    function.requests.clear()

    def make(which="webhook", **more):
        name = f"a-{uuid.uuid4().hex[:10]}"
        options = {"signingDisabled": True, "status": "ACTIVE"} | more
        iot.create_authorizer(authorizerName=name, authorizerFunctionArn=lambda_arn(aws, which), **options)
        made.append(name)
        return name

    yield make
    with contextlib.suppress(iot.exceptions.ResourceNotFoundException):
        iot.clear_default_authorizer()
    for name in made:
        with contextlib.suppress(iot.exceptions.ResourceNotFoundException):
            iot.update_authorizer(authorizerName=name, status="INACTIVE")
            iot.delete_authorizer(authorizerName=name)


def named(authorizer, user="", **parameters):
    """A user name that names an authorizer."""
    parameters = {"x-amz-customauthorizer-name": authorizer} | parameters
    return f"{user}?{urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)}"


def person(broker, user_name=None, password=None, version=V5, client_id=None, transport="tcp", path=None, headers=None):
    """A paho client without a certificate; not connected yet."""
    client = Client(broker, None, client_id, version, transport=transport)
    if transport == "tcp":
        client.paho._ssl_context.set_alpn_protocols(["mqtt"])
    else:
        client.paho.ws_set_options(path=path or "/mqtt", headers=headers)
    if user_name is not None:
        client.paho.username_pw_set(user_name, password)
    return client


def why(broker, client_id):
    """What `tidegate why` says, once it knows."""
    def told():
        return json.loads(broker.run("why", client_id, "--limit", "1", "--json", check=False).stdout or "[]")

    return json.dumps(wait_for(told, f"a refusal of {client_id}"))


def refused(client):
    with pytest.raises(Closed) as closed:
        client.connect()
    return closed.value.reason


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


@pytest.mark.parametrize("way", ["headers", "query", "user name"])
def test_mqtt_over_websocket(broker, make, function, way):
    name = make()
    options = {
        "headers": {"headers": {"X-Amz-CustomAuthorizer-Name": name, "Extra": "e"}},
        "query": {"path": f"/mqtt?x-amz-customauthorizer-name={name}&extra=e"},
        "user name": {"user_name": named(name, "me"), "password": "pa55word"},
    }[way]
    with person(broker, transport="websockets", **options) as client:
        client.subscribe("w", 1)
        client.publish("w", b"x")
        assert client.message().payload == b"x"
    event = function.events[-1]
    assert event["protocols"] == ["tls", "http", "mqtt"] and event["protocolData"]["mqtt"]["clientId"] == client.client_id
    http = event["protocolData"]["http"]
    if way == "headers":
        assert http["headers"]["Extra"] == "e"
    if way == "query":
        assert http["queryString"] == f"?x-amz-customauthorizer-name={name}&extra=e"
    refused(person(broker, transport="websockets"))


def https(broker):
    tls = ssl.create_default_context(cafile=broker.ca_file)
    return urllib3.HTTPSConnectionPool(broker.host, broker.port, ssl_context=tls, maxsize=1, retries=False, timeout=PATIENCE)


def test_messages_are_published_by_https(broker, make, function):
    name = make()
    function.reply = lambda event: answer({"Effect": "Allow", "Action": "iot:Publish", "Resource": "*:topic/may/*"})
    asking = {"x-amz-customauthorizer-name": name, "Extra": "e"}
    with https(broker) as pool:
        assert pool.urlopen("POST", "/topics/may/a?qos=1", body=b"x", headers=asking).status == 200
        assert pool.urlopen("POST", f"/topics/may/a?qos=1&x-amz-customauthorizer-name={name}", body=b"x").status == 200
        event = function.events[0]
        assert event["protocols"] == ["tls", "http"] and event["protocolData"]["http"]["headers"]["Extra"] == "e"
        for method, path, headers in [
            ("POST", "/topics/others/a", asking), ("POST", "/topics/may/a", {}), ("GET", "/things/t/shadow", asking),
            ("POST", "/topics/may/a", {"x-amz-customauthorizer-name": "none"}),
        ]:  # fmt: skip
            assert pool.urlopen(method, path, headers=headers).status == 403, path
        assert len(function.requests) == 4, "each request asks"


def test_an_answer_holds_for_the_requests_of_a_connection(broker, iot, make, function):
    name = make(enableCachingForHttp=True)
    with https(broker) as pool:
        def publish(**headers):
            asking = {"x-amz-customauthorizer-name": name} | headers
            return pool.urlopen("POST", "/topics/a?qos=1", body=b"x" * len(function.requests), headers=asking).status

        assert [publish() for _ in range(3)] == [200] * 3
        assert len(function.requests) == 1
        function.reply = lambda event: {"isAuthenticated": False}
        assert publish() == 200 and publish(Another="who") == 403 and publish() == 403
    with https(broker) as pool:
        assert publish() == 403, "another connection"


def test_mosquitto_pub(broker, make, function):
    name = make()
    with person(broker, named(name)) as listener:
        listener.subscribe("m", 1)
        command = ["mosquitto_pub", "-h", broker.host, "-p", broker.port, "--cafile", broker.ca_file, "--tls-alpn", "mqtt",
                   "-u", named(name, "me"), "-P", "pa55word", "-t", "m", "-m", "hello", "-q", 1]  # fmt: skip
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert listener.message().payload == b"hello"


@pytest.mark.parametrize(("version", "transport"), [(4, "wss"), (5, "tls"), (5, "wss")])
def test_the_device_sdk(broker, make, function, key, version, transport):
    name = make(signingDisabled=False, tokenKeyName="token", tokenSigningPublicKeys={"k": key.public})
    client_id, token = f"sdk-{uuid.uuid4().hex[:8]}", "t0ken-of-the-sdk"
    options = {
        "version": version, "transport": transport, "client_id": client_id, "endpoint": broker.host, "port": broker.port,
        "ca_filepath": broker.ca_file, "auth_username": "me", "auth_authorizer_name": name, "auth_authorizer_signature": key.sign(token),
        "auth_password": "pa55word", "auth_token_key_name": "token", "auth_token_value": token,
    }  # fmt: skip
    with person(broker, named(make())) as listener:
        listener.subscribe(f"own/{client_id}/a", 1)
        command = [sys.executable, str(ROOT / "tests/clients/awsiotsdk/custom_authorizer.py"), json.dumps(options)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE)
        assert done.stdout == "published\n", done.stderr
        assert listener.message().payload == b"from the SDK"
    assert any(event.get("token") == token and event["signatureVerified"] for event in function.events)


def test_without_functions_a_certificate_is_asked_for(own_broker):
    aws = Aws(own_broker)
    aws.boto3().create_authorizer(authorizerName="a", authorizerFunctionArn=lambda_arn(aws, "f"), signingDisabled=True, status="ACTIVE")
    refused(person(own_broker, named("a")))
    with pytest.raises(aws.boto3().exceptions.InvalidResponseException, match="no function is configured"):
        aws.boto3().test_invoke_authorizer(authorizerName="a")
