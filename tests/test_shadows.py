"""Device Shadows: documents over MQTT and HTTP, versions, differences, and who may."""

import json
import queue
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from support.aws import CLI_V2, Aws, activate, create_policy, device_of, register_ca
from support.broker import PATIENCE, ROOT, wait_for
from support.mqtt import Client, Closed, mosquitto, mosquitto_command
from support.pki import Ca


@pytest.fixture(scope="module")
def aws(broker):
    return Aws(broker, broker.create_account())


@pytest.fixture(scope="module")
def ca(aws, tmp_path_factory):
    made = Ca(tmp_path_factory.mktemp("shadows-ca"), f"Test CA {uuid.uuid4().hex}")
    register_ca(aws, made)
    return made


@pytest.fixture(scope="module")
def device(aws, ca):
    return device_of(aws, ca, "shadowed")


@pytest.fixture(scope="module")
def data(aws):
    return aws.boto3("iot-data")


@pytest.fixture
def thing():
    return f"thing-{uuid.uuid4().hex[:12]}"


def update(data, thing, payload, **more):
    answer = data.update_thing_shadow(thingName=thing, payload=json.dumps(payload), **more)
    return json.loads(answer["payload"].read())


def get(data, thing, **more):
    return json.loads(data.get_thing_shadow(thingName=thing, **more)["payload"].read())


def refusal(call, **arguments):
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Message"]


class Listener:
    """What is published of one shadow, by the last part of the topic."""

    def __init__(self, client, prefix):
        self.client, self.prefix, self.heard = client, prefix, {}
        client.subscribe(f"{prefix}/#", 1)

    def ask(self, operation, payload=None):
        body = payload if isinstance(payload, (bytes, type(None))) else json.dumps(payload)
        self.client.publish(f"{self.prefix}/{operation}", b"" if body is None else body, 1)

    def next(self, *below):
        """The next message of each of these topics, whatever their order."""
        while any(not self.heard.get(one) for one in below):
            message = self.client.message()
            self.heard.setdefault(message.topic.removeprefix(f"{self.prefix}/"), []).append(json.loads(message.payload))
        found = [self.heard[one].pop(0) for one in below]
        return found[0] if len(found) == 1 else found


def test_a_shadow_is_updated_read_and_deleted_by_http(data, thing):
    code = ("ResourceNotFoundException", 404, f"No shadow exists with name: '{thing}'")
    assert refusal(data.get_thing_shadow, thingName=thing) == code
    first = update(data, thing, {"state": {"desired": {"a": 1, "b": {"c": 2}}, "reported": {"a": 0}}, "clientToken": "t"})
    assert first["state"] == {"desired": {"a": 1, "b": {"c": 2}}, "reported": {"a": 0}}
    assert (first["version"], first["clientToken"]) == (1, "t")
    assert first["metadata"]["desired"]["b"]["c"] == {"timestamp": first["timestamp"]}
    second = update(data, thing, {"state": {"desired": {"b": {"c": None}}}, "version": 1})
    assert second["version"] == 2
    document = get(data, thing)
    assert document["state"] == {"desired": {"a": 1}, "reported": {"a": 0}, "delta": {"a": 1}}
    assert set(document) == {"state", "metadata", "version", "timestamp"} and document["version"] == 2
    stale = json.dumps({"state": {}, "version": 1})
    assert refusal(data.update_thing_shadow, thingName=thing, payload=stale) == ("ConflictException", 409, "Version conflict")
    gone = json.loads(data.delete_thing_shadow(thingName=thing)["payload"].read())
    assert set(gone) == {"version", "timestamp"} and gone["version"] == 2
    assert refusal(data.get_thing_shadow, thingName=thing) == code and refusal(data.delete_thing_shadow, thingName=thing) == code
    assert update(data, thing, {"state": None})["version"] == 3
    assert get(data, thing)["state"] == {}


def test_wrong_documents_are_refused_by_their_kind(data, thing):
    def refused(payload):
        return refusal(data.update_thing_shadow, thingName=thing, payload=payload)

    deep = '{"state":{"desired":' + '{"a":' * 9 + "1" + "}" * 11
    for payload, code, status, message in [
        (b"{", "InvalidRequestException", 400, "Invalid JSON"),
        (b"{}", "InvalidRequestException", 400, "Missing required node: state"),
        (b'{"state": {"x": 1}}', "InvalidRequestException", 400, "State contains an invalid node"),
        (deep, "InvalidRequestException", 400, "JSON contains too many levels of nesting; maximum is 8"),
        (b"[" * 20000, "InvalidRequestException", 400, "Invalid JSON"),
        (b"\xff", "UnsupportedDocumentEncodingException", 415, "Unsupported documented encoding; supported encoding is UTF-8"),
        (json.dumps({"state": {"desired": {"a": "x" * 9000}}}), "RequestEntityTooLargeException", 413, "The payload exceeds the maximum size allowed"),
        (b"x" * 100_000, "RequestEntityTooLargeException", 413, "The payload exceeds the maximum size allowed"),
    ]:
        assert refused(payload) == (code, status, message), payload[:60]
    assert refusal(data.get_thing_shadow, thingName=thing)[1] == 404
    for arguments in ({"thingName": "a/b"}, {"thingName": thing, "shadowName": "a.b"}):
        with pytest.raises(ClientError, match="InvalidRequestException"):
            data.get_thing_shadow(**arguments)


def test_named_shadows_are_apart_and_listed_in_pages(broker, aws, data, thing):
    names = [f"s{index}" for index in range(5)] + ["$odd:one"]
    for name in names:
        assert update(data, thing, {"state": {"reported": {"n": name}}}, shadowName=name)["version"] == 1
    update(data, thing, {"state": {"reported": {"n": "classic"}}})
    assert [get(data, thing, shadowName=name)["state"]["reported"]["n"] for name in names] == names
    listed, token = [], {}
    while True:
        page = data.list_named_shadows_for_thing(thingName=thing, pageSize=4, **token)
        listed += page["results"]
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert listed == sorted(names) and page["timestamp"] > 1.7e9
    data.delete_thing_shadow(thingName=thing, shadowName="s1")
    assert "s1" not in data.list_named_shadows_for_thing(thingName=thing)["results"]
    assert refusal(data.get_thing_shadow, thingName=thing, shadowName="s1")[2] == f"No shadow exists with name: '{thing}~s1'"
    assert get(data, thing)["state"]["reported"]["n"] == "classic"
    other = Aws(broker, broker.create_account()).boto3("iot-data")
    assert other.list_named_shadows_for_thing(thingName=thing)["results"] == []
    assert refusal(other.get_thing_shadow, thingName=thing)[1] == 404


@pytest.mark.parametrize("cli", [None, CLI_V2], ids=["v1", "v2"])
def test_both_command_lines_update_and_get(broker, aws, thing, tmp_path, cli):
    command, out = Aws(broker, aws.account, cli=cli), tmp_path / "out.json"
    source = tmp_path / "in.json"
    source.write_text('{"state": {"desired": {"on": true}}}')
    command("iot-data", "update-thing-shadow", "--thing-name", thing, "--payload", f"fileb://{source}", out)
    assert json.loads(out.read_text())["version"] == 1
    command("iot-data", "get-thing-shadow", "--thing-name", thing, out)
    assert json.loads(out.read_text())["state"] == {"desired": {"on": True}, "delta": {"on": True}}


@pytest.mark.parametrize("named", ["", "/name/n"], ids=["classic", "named"])
def test_devices_hear_of_what_they_ask_and_what_others_want(broker, device, data, thing, named):
    more = {"shadowName": "n"} if named else {}
    with Client(broker, device) as client:
        shadow = Listener(client, f"$aws/things/{thing}/shadow{named}")
        shadow.ask("get", {"clientToken": "early"})
        missing = shadow.next("get/rejected")
        assert (missing["code"], missing["clientToken"]) == (404, "early") and "No shadow exists" in missing["message"]
        shadow.ask("update", {"state": {"reported": {"on": False}}, "clientToken": "boot"})
        accepted, documents = shadow.next("update/accepted", "update/documents")
        assert (accepted["version"], accepted["clientToken"], accepted["state"]) == (1, "boot", {"reported": {"on": False}})
        assert documents["current"]["state"] == {"reported": {"on": False}} and "update/delta" not in shadow.heard
        update(data, thing, {"state": {"desired": {"on": True, "level": 3}}}, **more)
        delta, accepted, documents = shadow.next("update/delta", "update/accepted", "update/documents")
        assert (delta["state"], delta["version"]) == ({"on": True, "level": 3}, 2)
        assert set(delta["metadata"]) == {"on", "level"} and delta["metadata"]["on"] == {"timestamp": delta["timestamp"]}
        assert documents["previous"]["version"] == 1 and documents["current"]["version"] == 2
        shadow.ask("update", {"state": {"reported": {"on": True}}, "version": 1})
        assert shadow.next("update/rejected")["code"] == 409
        shadow.ask("update", {"state": {"reported": {"on": True}}, "version": 2})
        assert shadow.next("update/delta")["state"] == {"level": 3}
        shadow.ask("update", b"{")
        assert shadow.next("update/rejected")["message"] == "Invalid JSON"
        shadow.ask("update", b"x" * 100_000)
        assert shadow.next("update/rejected")["code"] == 413
        shadow.ask("get")
        document = shadow.next("get/accepted")
        assert document["state"] == {"desired": {"on": True, "level": 3}, "reported": {"on": True}, "delta": {"level": 3}}
        shadow.ask("delete", {"clientToken": "bye"})
        gone = shadow.next("delete/accepted")
        assert (gone["version"], gone["clientToken"]) == (3, "bye")


def test_two_hundred_updates_at_once_are_versions_one_to_two_hundred(broker, device, data, thing):
    def one(index):
        return update(data, thing, {"state": {"reported": {f"k{index % 10}": index}}})["version"]

    with ThreadPoolExecutor(32) as pool:
        versions = list(pool.map(one, range(200)))
    assert sorted(versions) == list(range(1, 201))
    document = get(data, thing)
    assert document["version"] == 200 and set(document["state"]["reported"]) == {f"k{index}" for index in range(10)}
    with Client(broker, device) as client:
        client.subscribe(f"$aws/things/{thing}/shadow/update/accepted", 1)
        for index in range(100):
            client.publish(f"$aws/things/{thing}/shadow/update", json.dumps({"state": {"reported": {"i": index}}}), 0)
        heard = [json.loads(client.message().payload) for _ in range(100)]
    assert [(one["version"], one["state"]["reported"]["i"]) for one in heard] == [(201 + index, index) for index in range(100)]


def test_mosquitto_speaks_with_a_shadow(broker, device, thing):
    topic = f"$aws/things/{thing}/shadow/update"
    command = ["stdbuf", "-oL", *mosquitto_command("mosquitto_sub", broker, device, "-q", 1, "-C", 1, "-t", f"{topic}/delta", "-d")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sub:
        while "Subscribed" not in sub.stdout.readline():
            pass
        done = mosquitto("mosquitto_pub", broker, device, "-q", 1, "-t", topic, "-m", '{"state":{"desired":{"color":"red"}}}')
        assert done.returncode == 0, done.stderr
        out = sub.communicate(timeout=PATIENCE)[0]
    delta = json.loads(next(line for line in out.splitlines() if line.startswith("{")))
    assert delta["state"] == {"color": "red"}


@pytest.mark.parametrize("generation", ["v1", "v2"])
def test_the_shadow_clients_of_the_device_sdk_work(broker, device, thing, generation):
    script = ROOT / "tests/clients/awsiotsdk/shadow.py"
    command = [sys.executable, script, generation, broker.host, broker.port, broker.ca_file, device.certificate, device.key, thing]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    wanted = {"light": {"on": True}, "level": 3}
    assert json.loads(done.stdout) == {
        "missing": [404, f"No shadow exists with name: '{thing}'"],
        "first": [1, wanted], "delta": [1, wanted], "got": [2, wanted, wanted, None], "deleted": 2,
    }  # fmt: skip


def test_a_device_reaches_the_shadow_that_its_policy_names_and_no_other(broker, aws, ca, data, thing):
    arn = f"arn:aws:iot:{aws.region}:{aws.account.account_id}:"
    own = f"$aws/things/{thing}/shadow/*"
    statement = [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": f"{arn}topic/{own}"},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{arn}topicfilter/{own}"},
    ]
    policy = create_policy(aws, f"own-{thing}", {"Version": "2012-10-17", "Statement": statement})
    made = ca.sign("own shadow only")
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    activate(aws, made.certificate_id, policy)
    with Client(broker, made) as client:
        shadow = Listener(client, f"$aws/things/{thing}/shadow")
        shadow.ask("update", {"state": {"reported": {"a": 1}}})
        assert shadow.next("update/accepted")["version"] == 1
        assert client.subscribe("$aws/things/another/shadow/#", 1)[0].is_failure
        client.paho.publish("$aws/things/another/shadow/update", '{"state": {"reported": {"a": 1}}}', 1)
        client.wait_closed()
    assert refusal(data.get_thing_shadow, thingName="another")[1] == 404
    with pytest.raises(Closed), Client(broker, made) as client:
        client.paho.publish(f"$aws/things/{thing}/shadow/update/accepted", "{}", 1)  # only the service says so
        client.wait_closed()
        raise Closed("as it should be")


def test_profile_aws_rejects_what_a_thing_asks_too_often_by_mqtt_and_logs_it_once(broker, aws, device, thing):
    aws.iot("set-v2-logging-options", "--role-arn", "arn:aws:iam::123456789012:role/r", "--default-log-level", "ERROR")
    class Aws:
        env, host, port, ca_file = broker.env, broker.host, broker.aws_port, broker.ca_file

    prefix = f"$aws/things/{thing}/shadow/get"
    with Client(Aws, device) as client:
        client.subscribe(f"{prefix}/rejected", 1)
        codes = []
        while 429 not in codes:  # ten at once, twenty a second: far less than these
            for number in range(40):
                client.paho.publish(prefix, json.dumps({"clientToken": str(number)}), 0)
            rejections = [json.loads(client.message().payload) for _ in range(40)]
            assert {rejection["clientToken"] for rejection in rejections} == {str(number) for number in range(40)}
            codes += [rejection["code"] for rejection in rejections]
        assert set(codes) == {404, 429}
        assert {rejection["message"] for rejection in rejections if rejection["code"] == 429} == {"Too many requests"}

    def entries():
        told = [json.loads(one["message"]) for one in aws.boto3("logs").filter_log_events(logGroupName="AWSIotLogsV2")["events"]]
        return [one for one in told if one["eventType"] == "GetThingShadow" and one.get("reason") == "THROTTLED"]

    (entry,) = wait_for(entries, "the entry")
    assert (entry["status"], entry["code"], entry["topicName"]) == ("Failure", 429, prefix)
    assert entry["times"] == 1 and entry["quota"] and entry["protocol"] == "MQTT"
    (line,) = broker.log_entries(eventType="GetThingShadow", reason="THROTTLED", topicName=prefix)
    assert (line["code"], line["times"]) == (429, 1)


def test_what_was_accepted_survives_kill_9(own_broker, tmp_path):
    aws = Aws(own_broker)
    ca = Ca(tmp_path / "ca", "Test CA of a shadow")
    register_ca(aws, ca)
    device = device_of(aws, ca, "kept")
    accepted = queue.Queue()
    with Client(own_broker, device) as client:
        shadow = Listener(client, "$aws/things/kept/shadow")
        for index in range(20):
            shadow.ask("update", {"state": {"desired": {"i": index}}})
        for _ in range(20):
            accepted.put(shadow.next("update/accepted"))
        own_broker.kill()
    own_broker.start()
    document = get(Aws(own_broker).boto3("iot-data"), "kept")
    assert (document["version"], document["state"]["desired"]) == (20, {"i": 19}) and accepted.qsize() == 20
