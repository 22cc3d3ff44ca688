"""What an operator sees of clients and does to them: `tidegate connections`, `session`, `retained`."""

import contextlib
import json
import time
import uuid

import pytest

from support.aws import Aws, device_of, register_ca
from support.broker import Broker, wait_for
from support.mqtt import V5, V311, Client, connect_properties
from support.pki import Ca

CONFIG = '[[mqtt.listener]]\nname = "plain"\naddress = "127.0.0.1"\nport = 0\ntransport = "plain"\n'


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("admin") / "data", CONFIG) as running:
        yield running


@pytest.fixture
def account(broker):
    return broker.create_account()


@pytest.fixture
def device(broker, account, tmp_path):
    """A device in an account of this test alone."""
    return new_device(broker, account, tmp_path)


def new_device(broker, account, directory):
    aws, ca = Aws(broker, account), Ca(directory / account.account_id, f"Test CA {uuid.uuid4().hex}")
    register_ca(aws, ca)
    return device_of(aws, ca)


def asked(broker, account, *command):
    """The JSON answer, within one account."""
    return json.loads(broker.run(*command, "--account", account.account_id, "--json").stdout)


def kept(broker, device, client_id, version=V5):
    options = {"properties": connect_properties(SessionExpiryInterval=600)} if version == V5 else {}
    return Client(broker, device, client_id, version, clean=False, **options)


def test_connections_are_listed_with_who_from_where_and_since_when(broker, account, device):
    before = time.time() * 1000
    with Client(broker, device, "five", V5) as five, Client(broker, device, "three", V311):
        rows = {row["clientId"]: row for row in asked(broker, account, "connections", "list")["connections"]}
        port = five.paho.socket().getsockname()[1]
        table = broker.run("connections", "list", "--account", account.account_id).stdout.splitlines()
    assert set(rows) == {"five", "three"}
    row = rows["five"]
    assert before - 1000 <= row.pop("sinceMillis") <= time.time() * 1000 + 1000
    assert row == {
        "clientId": "five", "accountId": account.account_id, "region": broker.env["AWS_DEFAULT_REGION"], "version": "5",
        "principal": device.certificate_id, "address": f"127.0.0.1:{port}", "inflight": 0, "queued": 0,
    }  # fmt: skip
    assert rows["three"]["version"] == "3.1.1"
    assert table[0].split()[:2] == ["CLIENT", "ACCOUNT"] and len(table) == 3
    wait_for(lambda: not asked(broker, account, "connections", "list")["connections"], "nobody to be connected")


def test_pages_have_every_client_once(broker, account, device):
    names = {f"client/{number} ü" for number in range(7)}
    with contextlib.ExitStack() as stack:
        for name in names:
            stack.enter_context(Client(broker, device, name))
        seen, after = [], []
        for limit in (3, 3, 3):
            page = asked(broker, account, "connections", "list", "--limit", str(limit), *after)
            seen += [row["clientId"] for row in page["connections"]]
            after = ["--after", page["next"]] if page["next"] else after
        assert page["next"] is None and len(page["connections"]) == 1
        assert len(seen) == 7 and set(seen) == names
        more = broker.run("connections", "list", "--account", account.account_id, "--limit", "3").stdout
        assert "more: --after" in more
    refused = broker.run("connections", "list", "--after", "nonsense", check=False)
    assert refused.returncode == 2 and "ACCOUNT/REGION" in refused.stderr


def test_a_client_is_kicked_told_and_may_come_back(broker, account, device):
    with Client(broker, device, version=V5) as watcher:
        watcher.subscribe("gone")
        client = Client(broker, device, "kicked", V5)
        client.paho.will_set("gone", b"kicked", 1)
        client.connect()
        assert asked(broker, account, "connections", "kick", "kicked", "--reason", "it reads\nnonsense") == {"closed": 1}
        assert client.wait_closed().value == 0x98
        assert watcher.message().payload == b"kicked"
        again = broker.run("connections", "kick", "kicked", "--account", account.account_id, check=False)
        assert again.returncode == 1 and "no client" in again.stderr
        with Client(broker, device, "kicked", V5):
            pass
    logged = broker.log_entries(event_type="Admin", command="kick", reason="it reads\nnonsense")
    assert len(logged) == 1 and logged[0]["closed"] == 1
    ended = broker.log_entries(eventType="Disconnect", clientId="kicked", disconnectReason="API_INITIATED_DISCONNECT")
    assert len(ended) == 1 and ended[0]["accountId"] == account.account_id


def test_all_connections_of_a_principal_are_kicked_and_no_others(broker, account, device, tmp_path):
    other_account = broker.create_account()
    other = new_device(broker, other_account, tmp_path)
    with Client(broker, other, "bystander") as bystander:
        clients = [Client(broker, device, version=version).connect() for version in (V311, V5)]
        arn = f"arn:aws:iot:us-east-1:{account.account_id}:cert/{device.certificate_id}"
        assert asked(broker, account, "connections", "kick", "--principal", arn) == {"closed": 2}
        for client in clients:
            client.wait_closed()
        bystander.publish("still/here", b"x")
    for wrong in ([], ["a", "--principal", "anonymous"], ["--principal", "nobody"]):
        assert broker.run("connections", "kick", *wrong, check=False).returncode == 2


def test_anonymous_clients_are_kicked_by_that_name(broker):
    import paho.mqtt.client as paho

    closed = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "nobody", protocol=V5, reconnect_on_failure=False)
    client.on_disconnect = lambda _c, _u, _f, reason, _p: closed.append(reason.value)
    client.connect("127.0.0.1", int(broker.env["TIDEGATE_MQTT_LISTENER_PLAIN_PORT"]))
    client.loop_start()
    wait_for(lambda: [row for row in asked(broker, broker.first_account, "connections", "list")["connections"] if row["principal"] == "anonymous"], "it to be listed")
    broker.run("connections", "kick", "--principal", "anonymous")
    wait_for(lambda: closed == [0x98], "its DISCONNECT")
    client.loop_stop()


def test_a_session_is_listed_shown_and_dropped_with_what_is_in_it(broker, account, device):
    sleeper = kept(broker, device, "sleeper").connect()
    sleeper.subscribe("news/+", 1)
    sleeper.close()
    with Client(broker, device, "publisher") as publisher:
        for _ in range(3):
            publisher.publish("news/today", b"12345")
        rows = {row["clientId"]: row for row in asked(broker, account, "session", "list")["sessions"]}
        assert rows["publisher"]["connected"] and rows["publisher"]["endsInSeconds"] is None
        row = rows["sleeper"]
        assert not row["connected"] and 0 < row["endsInSeconds"] <= 600
        assert (row["subscriptions"], row["queued"], row["inflight"]) == (1, 3, 0) and row["queuedBytes"] >= 45
        shown = asked(broker, account, "session", "show", "sleeper")
        assert shown["filters"] == ["news/+"] and shown["connection"] is None and len(shown["sessionIdentifier"]) == 32
        assert "subscribed   news/+" in broker.run("session", "show", "sleeper", "--account", account.account_id).stdout
        dropped = asked(broker, account, "session", "drop", "sleeper")
        assert dropped["clientId"] == "sleeper" and dropped["wasConnected"] is False
        assert broker.run("session", "drop", "sleeper", "--account", account.account_id, check=False).returncode == 1
        asked(broker, account, "session", "drop", "publisher", "--prevent-will")
        publisher.wait_closed()
    fresh = kept(broker, device, "sleeper").connect()
    assert not fresh.session_present and fresh.silent()
    fresh.close()
    asked(broker, account, "session", "drop", "sleeper")


def test_a_name_in_two_accounts_must_be_said_whose(broker, account, device, tmp_path):
    other_account = broker.create_account()
    other = new_device(broker, other_account, tmp_path)
    with Client(broker, device, "twins"), Client(broker, other, "twins") as second:
        refused = broker.run("connections", "kick", "twins", check=False)
        assert refused.returncode == 1 and account.account_id in refused.stderr and "--account" in refused.stderr
        assert asked(broker, account, "connections", "kick", "twins") == {"closed": 1}
        second.publish("still/here", b"x")


def test_a_dropped_session_stays_dropped_after_kill_9(own_broker, tmp_path):
    device = new_device(own_broker, own_broker.first_account, tmp_path)
    for name in ("stays", "goes"):
        client = kept(own_broker, device, name).connect()
        client.subscribe("news", 1)
        client.close()
    own_broker.run("session", "drop", "goes")
    with Client(own_broker, device) as publisher:
        publisher.publish("news", b"x")  # acknowledged: on disk, and what came before it too
    own_broker.kill()
    own_broker.start()
    sessions = asked(own_broker, own_broker.first_account, "session", "list")["sessions"]
    assert [row["clientId"] for row in sessions] == ["stays"]


def test_retained_messages_are_listed_by_filter_in_pages(broker, account, device):
    with Client(broker, device) as client:
        for number in range(12):
            client.publish(f"rooms/{number}/temperature", b"21.5", retain=True)
        client.publish("floors/1", b"", retain=False)
        client.publish("floors/2", b"x" * 100, 0, retain=True)
        client.publish("floors/2/a", b"x", 1)  # behind it, so that it is there
    rows = asked(broker, account, "retained", "list", "--filter", "rooms/+/temperature")["retained"]
    assert sorted(row["topic"] for row in rows) == sorted(f"rooms/{number}/temperature" for number in range(12))
    assert {(row["qos"], row["payloadBytes"]) for row in rows} == {(1, 4)}
    [floor] = asked(broker, account, "retained", "list", "--filter", "floors/#")["retained"]
    assert (floor["topic"], floor["qos"], floor["payloadBytes"]) == ("floors/2", 0, 100)
    seen, after = [], []
    while True:
        page = asked(broker, account, "retained", "list", "--limit", "5", *after)
        assert len(page["retained"]) <= 5
        seen += [row["topic"] for row in page["retained"]]
        if not page["next"]:
            break
        after = ["--after", page["next"]]
    assert len(seen) == len(set(seen)) == 13
    assert broker.run("retained", "list", "--filter", "a/#/b", check=False).returncode == 1
