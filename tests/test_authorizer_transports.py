"""Custom authorizers beyond plain MQTT: WebSocket, publishing by HTTPS, and clients as people have them."""

import json
import ssl
import subprocess
import sys
import uuid

import pytest
import urllib3

from support.authorizers import aws, broker, function, iot, key, make  # noqa: F401
from support.authorizers import named, person, refused
from support.broker import PATIENCE, ROOT
from support.functions import answer


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
