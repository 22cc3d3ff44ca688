"""Quotas of AWS, on the listener with AWS's manners: who runs into one is told, and so is the log, by the quota's name."""

import uuid

import pytest

from support.aws import Aws, device_of, register_ca
from support.broker import wait_for
from support.mqtt import V5, V311, Client, Closed, connect_properties, properties
from support.pki import Ca


@pytest.fixture(scope="module")
def account(broker):
    return broker.create_account()


@pytest.fixture(scope="module")
def device(broker, account, tmp_path_factory):
    aws, ca = Aws(broker, account), Ca(tmp_path_factory.mktemp("quotas"), f"Test CA {uuid.uuid4().hex}")
    register_ca(aws, ca)
    return device_of(aws, ca)


@pytest.fixture
def connect(broker, device):
    """Makes a client of the listener with AWS's manners."""

    class OnAws:
        def __getattr__(self, name):
            return getattr(broker, name)

        port = property(lambda self: broker.aws_port)

    def make(version=V5, **options):
        return Client(OnAws(), device, version=version, **options)

    return make


def entry(broker, client, quota):
    """The log's first entry about the client and the quota."""
    found = wait_for(lambda: broker.log_entries(clientId=client.client_id, quota=quota), f"a log line about {quota}")[0]
    assert (found["status"], found["reason"]) == ("Failure", "THROTTLED") and found["times"] >= 1 and found["details"]
    return found


def test_publishes_beyond_100_a_second_are_refused_and_one_line_says_why(broker, account, connect):
    client = connect()
    client.paho.max_inflight_messages_set(100)  # with paho's 20 at a time a slow machine never comes to 100 a second
    with client:
        sent = [client.paho.publish("t", b"x", 1) for _ in range(1000)]
        codes = [client._ack("publish", one.mid).value for one in sent]
        refused = codes.count(0x97)
        assert 0 < refused <= 900 and set(codes) <= {0, 0x97}
        told = entry(broker, client, "publish requests per second per connection")
        assert told["eventType"] == "Publish-In" and told["accountId"] == account.account_id
        assert len(broker.log_entries(clientId=client.client_id, quota=told["quota"])) < refused  # summed up


def test_throughput_beyond_512_kib_a_second_is_read_later(broker, connect):
    with connect() as client:
        for _ in range(12):
            client.paho.publish("t", b"x" * 130_000, 0)
        entry(broker, client, "throughput per second per connection")


def test_retained_messages_of_a_topic_come_once_a_second(broker, connect):
    with connect() as client:
        assert any(client.publish("kept", b"x", 1, retain=True).value == 0x97 for _ in range(50))
        entry(broker, client, "retained message publish requests per second per topic")
        client.paho.publish("kept", b"", 1, True)


@pytest.mark.parametrize(
    "topic, payload, options, code, quota",
    [
        ("t", b"x" * 131_073, {}, 0x95, "message payload size"),
        ("t", b"x" * 150_000, {}, 0x95, "packet size"),
        ("x" * 257, b"", {}, 0x90, "topic size"),
        ("1/2/3/4/5/6/7/8/9", b"", {}, 0x90, "maximum number of slashes in topic"),
        ("t", b"", {"ContentType": "x" * 257}, 0x97, "content type size"),
        ("t", b"", {"UserProperty": [("a", "x" * 8192)]}, 0x97, "total size of user properties"),
    ],
    ids=["payload", "packet", "topic", "slashes", "content type", "user properties"],
)
def test_what_is_too_large_is_named(broker, connect, topic, payload, options, code, quota):
    client = connect().connect()
    # paho would keep to what CONNACK says.
    client.paho._maximum_packet_size = None
    try:
        answered = client.publish(topic, payload, 1, properties=properties(**options)).value
    except Closed as closed:
        answered = closed.reason.value
    assert answered == code
    entry(broker, client, quota)
    client.close()


def test_subscriptions_have_bounds(broker, connect):
    with connect() as client:
        codes = [client.subscribe(f"t/{number}")[0].value for number in range(52)]
        assert codes == [1] * 50 + [0x97] * 2
        assert entry(broker, client, "subscriptions per connection")["eventType"] == "Subscribe"
    greedy = connect().connect()
    greedy.paho.subscribe([(f"t/{number}", 1) for number in range(9)])
    assert greedy.wait_closed().value == 0x97
    entry(broker, greedy, "maximum subscriptions per subscribe request")


def test_a_client_id_connects_once_a_second(broker, connect):
    name = f"q-{uuid.uuid4().hex[:12]}"
    with pytest.raises(Closed):
        for _ in range(50):
            with connect(client_id=name):
                pass
    [told] = broker.log_entries(eventType="Connect", status="Failure", clientId=name)
    assert told["reason"] == "THROTTLED" and "connect requests per second per client ID" in told["details"]


def test_a_session_keeps_so_many_messages(broker, device):
    sleeper = Client(broker, device, f"q-{uuid.uuid4().hex[:12]}", V5, clean=False, properties=connect_properties(SessionExpiryInterval=600))
    sleeper.connect()
    sleeper.subscribe("queued", 1)
    sleeper.close()
    with Client(broker, device, version=V311) as publisher:
        sent = [publisher.paho.publish("queued", b"x", 1) for _ in range(1010)]
        sent[-1].wait_for_publish(60)
    assert entry(broker, sleeper, "messages queued per session")["eventType"] == "Queued"
    again = Client(broker, device, sleeper.client_id, V5, clean=True).connect()
    again.close()
