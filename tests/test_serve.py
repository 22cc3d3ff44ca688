"""Starting, stopping, files, two processes, accounts and keys."""

import json
import os
import queue
import shutil
import signal
import stat
import subprocess
import urllib.request

import pytest

from support.aws import Aws, AwsError, activate, allow_all, register_ca
from support.broker import PATIENCE, PROGRAM, Broker, clean_environment
from support.mqtt import V5, V311, Client


def tidegate(*arguments, **environment):
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], env=clean_environment() | environment, capture_output=True, text=True, timeout=PATIENCE
    )


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_the_first_start_makes_what_later_starts_reuse(own_broker):
    kept = [own_broker.env[name] for name in ("TIDEGATE_ACCOUNT_ID", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    ca = (own_broker.data / "ca.pem").read_text()
    assert mode(own_broker.data) == 0o700
    assert mode(own_broker.data / "master.key") == mode(own_broker.data / "tidegate.env") == 0o600
    screen = own_broker.log.read_text()
    assert own_broker.env["AWS_SECRET_ACCESS_KEY"] not in screen
    assert str(own_broker.port) in screen and own_broker.env["AWS_ENDPOINT_URL"] in screen
    assert own_broker.stop() == 0
    own_broker.start()
    assert [own_broker.env[name] for name in ("TIDEGATE_ACCOUNT_ID", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")] == kept
    assert (own_broker.data / "ca.pem").read_text() == ca
    assert Aws(own_broker)("sts", "get-caller-identity")["Account"] == kept[0]


def test_tidegate_env_names_everything(own_broker):
    assert {
        "TIDEGATE_PID", "TIDEGATE_ACCOUNT_ID", "TIDEGATE_API_URL", "TIDEGATE_MQTT_HOST", "TIDEGATE_MQTT_PORT", "TIDEGATE_CA_FILE",
        "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE",
    } <= own_broker.env.keys()  # fmt: skip
    assert int(own_broker.env["TIDEGATE_PID"]) == own_broker.process.pid


def test_a_second_process_on_the_same_directory_is_refused(own_broker):
    second = tidegate("serve", "--data", own_broker.data, TIDEGATE_MQTT_PORT="0", TIDEGATE_API_PORT="0")
    assert second.returncode != 0
    assert str(own_broker.data) in second.stderr and "another" in second.stderr
    assert Aws(own_broker)("sts", "get-caller-identity")


def test_a_lost_store_is_not_taken_for_a_new_one(own_broker):
    ca = (own_broker.data / "ca.pem").read_text()
    assert own_broker.stop() == 0
    shutil.rmtree(own_broker.data / "store")
    again = tidegate("serve", "--data", own_broker.data, TIDEGATE_MQTT_PORT="0", TIDEGATE_API_PORT="0")
    assert again.returncode == 1
    assert own_broker.env["TIDEGATE_ACCOUNT_ID"] in again.stderr and "backup" in again.stderr
    assert (own_broker.data / "ca.pem").read_text() == ca


def test_a_port_in_use_is_named(own_broker, tmp_path):
    second = tidegate(
        "serve", "--data", tmp_path / "other", TIDEGATE_MQTT_ADDRESS="127.0.0.1", TIDEGATE_MQTT_PORT=str(own_broker.port), TIDEGATE_API_PORT="0"
    )
    assert second.returncode != 0 and str(own_broker.port) in second.stderr


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_in_order(own_broker, tmp_path, sign):
    aws = Aws(own_broker)
    from support.pki import Ca

    ca = Ca(tmp_path / "pki")
    register_ca(aws, ca)
    device = ca.sign("d")
    aws.iot("register-certificate", "--certificate-pem", f"file://{device.certificate}", "--status", "ACTIVE")
    activate(aws, device.certificate_id, allow_all(aws))
    five, three = Client(own_broker, device, version=V5).connect(), Client(own_broker, device, version=V311).connect()
    assert own_broker.stop(sign) == 0
    assert five.wait_closed().value == 0x8B
    three.wait_closed()


def test_accounts_and_keys_are_made_listed_and_deleted(own_broker):
    second = own_broker.create_account("222222222222")
    assert second.account_id == "222222222222"
    assert own_broker.run("account", "create", "--id", "222222222222", check=False).returncode != 0
    assert own_broker.run("account", "create", "--id", "22", check=False).returncode != 0
    accounts = own_broker.run("account", "list").stdout
    assert "222222222222" in accounts and own_broker.env["TIDEGATE_ACCOUNT_ID"] in accounts
    key = json.loads(own_broker.run("key", "create", "--account", "222222222222", "--json").stdout)
    aws = Aws(own_broker, type(second)("222222222222", key["accessKeyId"], key["secretAccessKey"]))
    assert aws("sts", "get-caller-identity")["Account"] == "222222222222"
    listed = own_broker.run("key", "list", "--account", "222222222222").stdout
    assert key["accessKeyId"] in listed and key["secretAccessKey"] not in listed
    own_broker.run("key", "delete", key["accessKeyId"])
    with pytest.raises(AwsError) as refused:
        aws.iot("list-policies")
    assert refused.value.code == "UnrecognizedClientException"
    assert own_broker.run("key", "delete", key["accessKeyId"], check=False).returncode != 0


def test_commands_say_when_nothing_runs(tmp_path):
    done = tidegate("account", "list", "--data", tmp_path)
    assert done.returncode != 0 and "no broker" in done.stderr.lower()


def test_check_config(tmp_path):
    file = tmp_path / "t.toml"
    file.write_text("[mqtt]\nport = 1\nprot = 2\n")
    wrong = tidegate("check-config", "--config", file)
    assert wrong.returncode != 0 and "line 3, column 1" in wrong.stderr
    file.write_text("[mqtt]\nport = 1\n")
    assert tidegate("check-config", "--config", file).returncode == 0
    assert tidegate("serve", "--config", tmp_path / "absent.toml").returncode != 0


@pytest.mark.parametrize("command", [[], ["serve"], ["demo"], ["account"], ["account", "create"], ["account", "list"], ["key", "create"], ["key", "list"], ["key", "delete"], ["explain"], ["lint-policy"], ["check-config"], ["connections"], ["connections", "list"], ["connections", "kick"], ["session"], ["session", "list"], ["session", "show"], ["session", "drop"], ["retained"], ["retained", "list"]], ids=" ".join)
def test_help_has_examples(command):
    done = tidegate(*command, "--help")
    assert done.returncode == 0 and ("tidegate " in done.stdout)


def test_without_env_file(tmp_path):
    broker = Broker(tmp_path / "data")
    broker.launch("--no-env-file")
    from support.broker import wait_for

    wait_for(lambda: "aws iot" in broker.log.read_text(), "the screen")
    assert not (broker.data / "tidegate.env").exists()
    assert broker.stop() == 0


def test_the_api_speaks_plain_http_only_where_asked(tmp_path):
    with Broker(tmp_path / "data", config="[api]\nplain_port = 0\n") as broker:
        url = broker.env["TIDEGATE_API_PLAIN_URL"]
        assert urllib.request.urlopen(f"{url}/healthz", timeout=PATIENCE).status == 200


def test_a_plain_listener_serves_anonymous_clients(tmp_path):
    import paho.mqtt.client as paho

    config = '[[mqtt.listener]]\nname = "lab"\naddress = "127.0.0.1"\nport = 0\ntransport = "plain"\n'
    with Broker(tmp_path / "data", config=config) as broker:
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, "anybody")
        got = []
        client.on_message = lambda _c, _u, message: got.append(message.payload)
        client.connect("127.0.0.1", int(broker.env["TIDEGATE_MQTT_LISTENER_LAB_PORT"]))
        client.loop_start()
        client.subscribe("t", 1)
        from support.broker import wait_for

        client.publish("t", b"x", 1)
        wait_for(lambda: got == [b"x"], "the message")
        client.loop_stop()


def test_an_anonymous_policy_says_what_anonymous_clients_may_do(tmp_path):
    import paho.mqtt.client as paho

    region = "us-east-1"
    account = "123456789012"
    here = f"arn:aws:iot:{region}:{account}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{here}:client/lab-*"},
            {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": f"{here}:topic/lab/${{iot:ClientId}}/*"},
            {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{here}:topicfilter/lab/*"},
            {"Effect": "Deny", "Action": "iot:Publish", "Resource": f"{here}:topic/*/secret"},
        ],
    }
    (tmp_path / "policy.json").write_text(json.dumps(policy))
    config = (
        f'[first_start]\naccount_id = "{account}"\nregion = "{region}"\n'
        '[[mqtt.listener]]\nname = "lab"\naddress = "127.0.0.1"\nport = 0\ntransport = "plain"\nanonymous_policy = "policy.json"\n'
    )
    with Broker(tmp_path / "data", config=config) as broker:
        port = int(broker.env["TIDEGATE_MQTT_LISTENER_LAB_PORT"])
        events = queue.Queue()

        def client(name):
            made = paho.Client(paho.CallbackAPIVersion.VERSION2, name, protocol=V5, reconnect_on_failure=False)
            made.on_connect = lambda _c, _u, _f, reason, _p: events.put(("connect", reason.value))
            made.on_message = lambda _c, _u, message: events.put(("message", message.topic))
            made.on_subscribe = lambda _c, _u, _m, reasons, _p: events.put(("subscribe", reasons[0].value))
            made.on_publish = lambda _c, _u, _m, reason, _p: events.put(("publish", reason.value))
            made.connect("127.0.0.1", port)
            made.loop_start()
            return made

        def next_event():
            return events.get(timeout=PATIENCE)

        stranger = client("stranger")
        assert next_event() == ("connect", 0x87)
        stranger.loop_stop()
        [entry] = broker.log_entries(eventType="Connect", status="Failure", clientId="stranger")
        assert entry["reason"] == "AUTHORIZATION_FAILURE" and "anonymous_policy" in entry["details"]

        one = client("lab-1")
        assert next_event() == ("connect", 0)
        for topic_filter, code in [("lab/#", 1), ("#", 0x87)]:
            one.subscribe(topic_filter, 1)
            assert next_event() == ("subscribe", code)
        for topic, code in [("lab/lab-2/a", 0x87), ("lab/lab-1/secret", 0x87), ("other", 0x87)]:
            one.publish(topic, b"x", 1)
            assert next_event() == ("publish", code)
        two = client("lab-2")
        assert next_event() == ("connect", 0)
        two.publish("lab/lab-2/a", b"x", 1)  # lab-1 may not receive it, and nobody else listens
        assert next_event() == ("publish", 0x10)
        one.publish("lab/lab-1/a", b"x", 1)
        assert {next_event(), next_event()} == {("publish", 0), ("message", "lab/lab-1/a")}
        assert events.empty()
        for made in (one, two):
            made.disconnect()
            made.loop_stop()
    (tmp_path / "policy.json").write_text('{\n  "Statement": []\n}')
    wrong = tidegate("check-config", "--config", broker.config)
    assert wrong.returncode == 1 and "policy.json, line 2, column 16" in wrong.stderr
