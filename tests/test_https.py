"""Devices without MQTT: they publish, and ask for shadows, by HTTPS with their certificate."""

import base64
import contextlib
import http.client
import json
import socket
import ssl
import subprocess
import urllib.parse
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3

from support.aws import Aws, activate, create_policy, device_of, register_ca
from support.broker import PATIENCE, Broker, wait_for
from support.mqtt import V5, Client, context
from support.pki import Ca

CONFIG = """
[[mqtt.listener]]
name = "https"
address = "127.0.0.1"
port = 0
https = true
[[mqtt.listener]]
name = "aws"
address = "127.0.0.1"
port = 0
profile = "aws"
websocket = true
https = true
"""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("https") / "data", CONFIG) as running:
        yield running


@pytest.fixture(scope="module")
def aws(broker):
    return Aws(broker)


@pytest.fixture(scope="module")
def ca(aws, tmp_path_factory):
    made = Ca(tmp_path_factory.mktemp("https-ca"), f"Test CA {uuid.uuid4().hex}")
    register_ca(aws, made)
    return made


@pytest.fixture(scope="module")
def device(aws, ca):
    return device_of(aws, ca, "by https")


@pytest.fixture(scope="module")
def port(broker):
    return int(broker.env["TIDEGATE_MQTT_LISTENER_HTTPS_PORT"])


def pool(broker, port, device):
    return urllib3.HTTPSConnectionPool(
        "localhost", port, ca_certs=broker.ca_file, cert_file=str(device.certificate), key_file=str(device.key), retries=False, maxsize=1
    )


def tls_to(broker, port, device, offered=()):
    tls = context(broker, device)
    if offered:
        tls.set_alpn_protocols(offered)
    return tls.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE), server_hostname="localhost")


def refused(answer, status, message="Forbidden"):
    assert (answer.status, answer.json()["message"]) == (status, message), answer.data
    uuid.UUID(answer.json()["traceId"])


def test_curl_publishes_as_the_guide_says(broker, device, port):
    topic = f"curl/{uuid.uuid4().hex}"
    with Client(broker, device) as client:
        client.subscribe("curl/#", 1)
        command = [
            "curl", "--silent", "--show-error", "--tlsv1.2", "--cacert", broker.ca_file, "--cert", device.certificate, "--key", device.key,
            "--request", "POST", "--data", '{"message": "Hello, world"}', f"https://localhost:{port}/topics/{topic}?qos=1",
        ]  # fmt: skip
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["message"] == "OK" and uuid.UUID(answer["traceId"])
        message = client.message()
    assert (message.topic, message.payload, message.qos) == (topic, b'{"message": "Hello, world"}', 1)


def test_one_connection_carries_many_messages_with_their_properties(broker, device, port):
    with Client(broker, device, version=V5) as client, contextlib.closing(pool(broker, port, device)) as https:
        client.subscribe("many/#", 1)
        for index in range(30):
            assert https.urlopen("POST", f"/topics/many/{index}?qos={index % 2}", body=str(index)).status == 200
        assert https.num_connections == 1
        assert [client.message().payload for _ in range(30)] == [str(index).encode() for index in range(30)]
        user = base64.b64encode(json.dumps([{"k": "1"}, {"k": "2"}]).encode()).decode()
        headers = {
            "x-amz-mqtt5-user-properties": user, "x-amz-mqtt5-correlation-data": "AAE=", "x-amz-mqtt5-payload-format-indicator": "UTF8_DATA",
        }  # fmt: skip
        answer = https.urlopen(
            "POST", "/topics/many%2Fa%20b?qos=1&contentType=text%2Fplain&responseTopic=re%2Fply&messageExpiry=60", body="é".encode(), headers=headers
        )
        assert answer.status == 200
        message = client.message()
    assert (message.topic, message.payload) == ("many/a b", "é".encode())
    sent = message.properties
    assert (sent.ContentType, sent.ResponseTopic, sent.CorrelationData, sent.PayloadFormatIndicator) == ("text/plain", "re/ply", b"\0\1", 1)
    assert sent.UserProperty == [("k", "1"), ("k", "2")]


def test_requests_that_come_together_are_answered_in_turn(broker, device, port):
    one = b"POST /topics/pipe/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
    with tls_to(broker, port, device) as sock:
        sock.sendall(b"".join(one % index for index in range(10)) + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        received = b""
        while chunk := sock.recv(65536):
            received += chunk
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 10 and received.count(b"HTTP/1.1 404 ") == 1


def test_a_retained_message_stays_and_needs_its_own_permission(broker, aws, ca, device, port):
    with contextlib.closing(pool(broker, port, device)) as https:
        assert https.urlopen("POST", "/topics/state/lamp?qos=1&retain=true", body="on").status == 200
    assert aws.boto3("iot-data").get_retained_message(topic="state/lamp")["payload"] == b"on"
    arn = f"arn:aws:iot:{aws.region}:{aws.account.account_id}:"
    statement = [{"Effect": "Allow", "Action": "iot:Publish", "Resource": f"{arn}topic/only/here"}]
    made = ca.sign("publishes only")
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    activate(aws, made.certificate_id, create_policy(aws, "only-here", {"Version": "2012-10-17", "Statement": statement}))
    with contextlib.closing(pool(broker, port, made)) as https:
        assert https.urlopen("POST", "/topics/only/here", body="x").status == 200
        refused(https.urlopen("POST", "/topics/only/here?retain=true", body="x"), 403)
        refused(https.urlopen("POST", "/topics/elsewhere", body="x"), 403)
        refused(https.urlopen("GET", "/things/t/shadow"), 403)
    [entry] = broker.log_entries(eventType="Publish-In", status="Failure", topicName="elsewhere")
    assert (entry["protocol"], entry["reason"], entry["principalId"]) == ("HTTP", "AUTHORIZATION_FAILURE", made.certificate_id)


def test_only_the_broker_publishes_events(broker, device, port):
    """Check 22: otherwise any device could forge registrations."""
    with Client(broker, device) as client, contextlib.closing(pool(broker, port, device)) as https:
        client.subscribe("$aws/events/#", 1)
        for topic in ("$aws/events/certificates/registered/x", "%24aws%2Fevents%2Fcertificates%2Fregistered%2Fx", "$SYS/broker/version"):
            refused(https.urlopen("POST", f"/topics/{topic}?qos=1", body="{}"), 403)
        client.silent()


def test_the_certificate_decides_at_every_request(broker, aws, ca, device, port):
    stranger = ca.sign("unknown to the registry")
    with contextlib.closing(pool(broker, port, stranger)) as https:
        refused(https.urlopen("POST", "/topics/t", body="x"), 403)
    listed = aws.iot("list-certificates-by-ca", "--ca-certificate-id", ca.certificate_id)["certificates"]
    assert stranger.certificate_id not in {one["certificateId"] for one in listed}, "HTTPS registers nobody"
    made = device_of_all(aws, ca)
    with contextlib.closing(pool(broker, port, made)) as https:
        assert https.urlopen("POST", "/topics/t", body="x").status == 200
        aws.iot("update-certificate", "--certificate-id", made.certificate_id, "--new-status", "INACTIVE")
        refused(https.urlopen("POST", "/topics/t", body="x"), 403)
    with contextlib.closing(pool(broker, port, made)) as https, pytest.raises(urllib3.exceptions.HTTPError):
        https.urlopen("POST", "/topics/t", body="x")


def device_of_all(aws, ca):
    made = ca.sign("to be deactivated")
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    activate(aws, made.certificate_id, "everything")
    return made


def test_what_breaks_the_rules_is_told_and_cut(broker, device, port):
    for request, status in [
        (b"POST /topics/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /topics/a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
        (b"POST /topics/a HTTP/1.1\r\nContent-Length: 99999999\r\n\r\nx", 413),
        (b"POST /topics/a HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST /topics/a HTTP/1.0\r\n\r\n", 400),
        (b"POST /topics/%zz HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /" + b"x" * 17_000, 431),
        (b"POST /topics/a%23 HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"POST /topics/../../etc/passwd HTTP/1.1\r\nConnection: close\r\n\r\n", 200),  # a topic like any other
    ]:
        with tls_to(broker, port, device) as sock:
            sock.sendall(request)
            received = b""
            while chunk := sock.recv(65536):
                received += chunk
        assert received.startswith(b"HTTP/1.1 %d " % status), (request[:60], received)


def test_a_peer_that_sends_half_a_request_is_cut_off(broker, device, port):
    with tls_to(broker, port, device) as slow:
        slow.sendall(b"POST /topics/slow HTTP/1.1\r\n")
        slow.settimeout(PATIENCE)
        assert slow.recv(1) == b""


def test_a_client_that_expects_a_word_before_its_body_gets_it(broker, device, port):
    with tls_to(broker, port, device) as sock:
        sock.sendall(b"POST /topics/expect?qos=1 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n")
        assert sock.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert sock.recv(1024).startswith(b"HTTP/1.1 200 ")


def test_alpn_and_the_first_byte_tell_what_is_spoken_on_one_port(broker, device):
    aws_port = broker.aws_port
    with tls_to(broker, aws_port, device, ["x-amzn-http-ca"]) as sock:
        assert sock.selected_alpn_protocol() == "x-amzn-http-ca"
        connection = http.client.HTTPConnection("localhost", aws_port)
        connection.sock = sock
        connection.request("POST", "/topics/alpn?qos=1", body=b"x")
        assert json.load(connection.getresponse())["message"] == "OK"
    with contextlib.closing(pool(broker, aws_port, device)) as https:  # offers http/1.1
        assert https.urlopen("POST", "/topics/alpn?qos=1", body=b"x").status == 200
        refused(https.urlopen("POST", "/topics/1/2/3/4/5/6/7/8/9", body=b"x"), 413, "The message exceeds a quota: maximum number of slashes in topic")
    head = b"GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    head += b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    with tls_to(broker, aws_port, device) as sock:
        sock.sendall(head)
        assert sock.recv(1024).startswith(b"HTTP/1.1 101 ")
    with tls_to(broker, aws_port, device, ["x-amzn-mqtt-ca"]) as sock:
        sock.sendall(b"\x10\x12\0\x04MQTT\x04\x02\0\x3c\0\x06https1")
        assert sock.recv(4) == b"\x20\x02\0\0"
    with pytest.raises(ssl.SSLError):
        tls_to(broker, broker.port, device, ["x-amzn-http-ca"])  # the first listener does not speak it


def test_shadows_are_asked_for_by_https(broker, aws, device, port):
    thing = f"thing-{uuid.uuid4().hex[:8]}"
    path = f"/things/{thing}/shadow"
    with Client(broker, device) as client, contextlib.closing(pool(broker, port, device)) as https:
        client.subscribe(f"$aws/things/{thing}/shadow/update/delta", 1)
        refused(https.urlopen("GET", path), 404, f"No shadow exists with name: '{thing}'")
        answer = https.urlopen("POST", path, body='{"state": {"desired": {"on": true}}}')
        assert (answer.status, answer.json()["version"]) == (200, 1)
        assert json.loads(client.message().payload)["state"] == {"on": True}
        refused(https.urlopen("POST", path, body='{"state": {}, "version": 7}'), 409, "Version conflict")
        assert https.urlopen("POST", f"{path}?name=n", body='{"state": {"reported": {"a": 1}}}').status == 200
        assert https.urlopen("GET", f"{path}?name=n").json()["state"] == {"reported": {"a": 1}}
        assert https.urlopen("DELETE", path).json()["version"] == 1
    assert aws.boto3("iot-data").list_named_shadows_for_thing(thingName=thing)["results"] == ["n"]


def test_shadows_are_listed_by_https_with_the_right_to_it(broker, aws, ca, device, port):
    thing, path = f"thing-{uuid.uuid4().hex[:8]}", "/api/things/shadow/ListNamedShadowsForThing"
    for name in ("b", "a", "c"):
        aws.boto3("iot-data").update_thing_shadow(thingName=thing, shadowName=name, payload=b'{"state": {}}')
    with contextlib.closing(pool(broker, port, device)) as https:
        first = https.urlopen("GET", f"{path}/{thing}?pageSize=2")
        assert (first.status, first.json()["results"]) == (200, ["a", "b"]) and first.json()["timestamp"] > 1_700_000_000
        token = urllib.parse.quote(first.json()["nextToken"], safe="")
        second = https.urlopen("GET", f"{path}/{thing}?pageSize=2&nextToken={token}").json()
        assert second["results"] == ["c"] and "nextToken" not in second
        assert https.urlopen("GET", f"{path}/nobody").json()["results"] == []
        refused(https.urlopen("GET", f"{path}/{thing}?pageSize=101"), 400, "pageSize is 1 to 100")
        assert https.urlopen("GET", f"{path}/{thing}?nextToken=x").status == 400
        assert https.urlopen("POST", f"{path}/{thing}").status == 405
    arn = f"arn:aws:iot:{aws.region}:{aws.account.account_id}:thing/{thing}"
    one = [{"Effect": "Allow", "Action": "iot:ListNamedShadowsForThing", "Resource": arn}]
    lister = ca.sign("lists")
    aws.iot("register-certificate", "--certificate-pem", f"file://{lister.certificate}", "--status", "ACTIVE")
    activate(aws, lister.certificate_id, create_policy(aws, "lists", {"Version": "2012-10-17", "Statement": one}))
    with contextlib.closing(pool(broker, port, lister)) as https:
        assert https.urlopen("GET", f"{path}/{thing}").json()["results"] == ["a", "b", "c"]
        refused(https.urlopen("GET", f"{path}/nobody"), 403)
        refused(https.urlopen("GET", f"/things/{thing}/shadow?name=a"), 403)


def test_profile_aws_answers_a_thing_that_asks_too_often_with_429(broker, device, port):
    path = "/things/hasty/shadow"

    def statuses(port, count):
        """Of requests on connections of their own, as many at once as there are."""

        def ask(_):
            with contextlib.closing(pool(broker, port, device)) as https:
                return [https.urlopen("GET", path) for _ in range(count // 10)]

        with ThreadPoolExecutor(10) as workers:
            return [answer for answers in workers.map(ask, range(10)) for answer in answers]

    assert {answer.status for answer in statuses(port, 200)} == {404}, "profile standard has no pace"
    answers = []
    wait_for(lambda: answers.extend(statuses(broker.aws_port, 200)) or any(answer.status == 429 for answer in answers), "a request too many")
    assert {answer.status for answer in answers} == {404, 429}
    refused(next(answer for answer in answers if answer.status == 429), 429, "Too many requests")
    wait_for(lambda: statuses(broker.aws_port, 10)[0].status == 404, "the thing to be served again")


def test_silent_peers_and_large_bodies_hold_nobody_up(broker, device, port):
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            sock = stack.enter_context(tls_to(broker, port, device))
            sock.sendall(b"POST /topics/hold HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nhalf")
        with contextlib.closing(pool(broker, port, device)) as https:
            answers = [https.urlopen("POST", "/topics/free", body=b"x").status for _ in range(5)]
            assert set(answers) <= {200, 503} and answers
        with Client(broker, device) as client:
            client.publish("mqtt/goes/on", b"x", 1)
    with contextlib.closing(pool(broker, port, device)) as https:
        wait_for(lambda: https.urlopen("POST", "/topics/free", body=b"x").status == 200, "room")
