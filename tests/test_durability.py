"""What `docs/durability.md` promises, tested by `kill -9` under load: nothing acknowledged is lost, QoS 2 arrives once."""

import collections
import random
import subprocess
import threading

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MessageState
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from support.broker import PATIENCE, Broker, wait_for

V311, V5 = paho.MQTTv311, paho.MQTTv5
KILLS = 20
WINDOW = 20
BEHIND = 200  # four publishers, and 1000 messages in a queue

PLAIN = '[[mqtt.listener]]\nname = "lab"\naddress = "127.0.0.1"\nport = 0\ntransport = "plain"\n'


class Paho(paho.Client):
    """paho, without a slip of its own: at the second attempt to reconnect it forgets that it had PUBREC, and publishes again."""

    def _messages_reconnect_reset_out(self):
        owed = (MessageState.MQTT_MS_WAIT_FOR_PUBCOMP, MessageState.MQTT_MS_RESEND_PUBREL)
        with self._out_message_mutex:
            had = [message for message in self._out_messages.values() if message.state in owed]
            super()._messages_reconnect_reset_out()
            for message in had:
                message.state = MessageState.MQTT_MS_RESEND_PUBREL


class Peer:
    """A paho client with a kept session, which comes back by itself and keeps its own state meanwhile."""

    def __init__(self, broker, name, version):
        kind = {} if version == V5 else {"clean_session": False}
        self.name = name
        self.paho = Paho(CallbackAPIVersion.VERSION2, name, protocol=version, **kind)
        self.paho.reconnect_delay_set(0.05, 0.2)
        self.paho.max_inflight_messages_set(WINDOW)
        self.lock = threading.Lock()
        self.room = threading.Semaphore(WINDOW)
        self.got = collections.defaultdict(list)
        self.acknowledged = []
        self.connected, self.subscribed = threading.Event(), threading.Event()
        self.present = []
        self.paho.on_connect = self._on_connect
        self.paho.on_message = self._on_message
        self.paho.on_publish = lambda _c, _u, mid, reason, _p: self._acknowledged(mid, reason)
        self.paho.on_subscribe = lambda *_: self.subscribed.set()
        more = {}
        if version == V5:
            more = {"clean_start": False, "properties": Properties(PacketTypes.CONNECT)}
            more["properties"].SessionExpiryInterval = 3600
        self.paho.connect("127.0.0.1", lab_port(broker), 60, **more)
        self.paho.loop_start()
        assert self.connected.wait(PATIENCE)

    def _on_connect(self, _client, _userdata, flags, reason, _properties):
        assert not reason.is_failure, reason
        self.present.append(flags.session_present)
        self.connected.set()

    def _on_message(self, _client, _userdata, message):
        with self.lock:
            self.got[message.topic].append(message.payload.decode())

    def _acknowledged(self, mid, reason):
        # 0x92: PUBREL was sent again, and the first one is durable. Spec: 3.7.2.1 (5.0).
        assert not reason.is_failure or reason.value == 0x92, reason
        with self.lock:
            self.acknowledged.append(mid)
        self.room.release()

    def subscribe(self, topic_filter, qos):
        self.subscribed.clear()
        self.paho.subscribe(topic_filter, qos)
        assert self.subscribed.wait(PATIENCE)
        return self

    def stop(self):
        self.paho.disconnect()
        self.paho.loop_stop()


class Publisher(Peer):
    """Publishes numbers, a window of them at a time, and never so many that a queue could be full."""

    def __init__(self, broker, name, version, qos, subscribers):
        super().__init__(broker, name, version)
        self.topic, self.qos, self.subscribers = f"t/{name}", qos, subscribers
        self.sent = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.ended.is_set():
            if len(self.sent) - self._arrived() >= BEHIND:
                self.ended.wait(0.01)  # asking again at once would take the processor from those who are behind
            elif self.room.acquire(timeout=1):
                # Without a connection paho keeps it for the next one.
                number = str(len(self.sent))
                self.sent.append(number)
                self.paho.publish(self.topic, number, self.qos)

    def _arrived(self):
        return min(int(subscriber.got[self.topic][-1]) if subscriber.got[self.topic] else 0 for subscriber in self.subscribers)

    def end(self):
        self.ended.set()
        self.thread.join(PATIENCE)
        wait_for(lambda: len(self.acknowledged) == len(self.sent), "the last acknowledgements")


class MosquittoSub:
    """`mosquitto_sub` with a kept session, which comes back by itself.

    QoS 1 only: libmosquitto 2.0.11 does not get through a lost connection exactly once with any broker. When the socket takes
    PUBCOMP no more, it drops the message that PUBREL released, undelivered; and of a PUBLISH that comes again it keeps two
    copies, so that the next repeated PUBREL delivers the second.
    """

    def __init__(self, broker, name):
        self.name = name
        command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(lab_port(broker)), "-i", name, "-c"]
        command += ["-q", "1", "-t", "t/#", "-F", "%t %p"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.got = collections.defaultdict(list)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        for line in self.process.stdout:
            topic, payload = line.split()
            self.got[topic].append(payload)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.thread.join(PATIENCE)


def lab_port(broker):
    return int(broker.env["TIDEGATE_MQTT_LISTENER_LAB_PORT"])


def settle_port(broker):
    """From now on the broker comes back where it was."""
    broker.environment["TIDEGATE_MQTT_LISTENER_LAB_PORT"] = str(lab_port(broker))


def restart(broker):
    broker.kill()
    broker.start()


@pytest.fixture
def lab(tmp_path):
    """A broker with a plain listener."""
    with Broker(tmp_path / "data", PLAIN) as running:
        settle_port(running)
        yield running


def once(numbers):
    """Each once, in order of first arrival."""
    return list(dict.fromkeys(numbers))


@pytest.mark.timeout(600)
def test_twenty_kills_under_load_lose_nothing_and_double_no_qos_2(lab):
    chance = random.Random(7)
    subscribers = [
        Peer(lab, "s4", V311).subscribe("t/#", 2),
        Peer(lab, "s5", V5).subscribe("t/#", 2),
        Peer(lab, "s1", V5).subscribe("t/#", 1),
    ]
    mosquitto = MosquittoSub(lab, "m1")
    publishers = [
        Publisher(lab, name, version, qos, [*subscribers, mosquitto])
        for name, version, qos in (("p41", V311, 1), ("p42", V311, 2), ("p51", V5, 1), ("p52", V5, 2))
    ]
    everyone = [*subscribers, *publishers]
    wait_for(lambda: mosquitto.got, "mosquitto_sub's first message")
    for _ in range(KILLS):
        before = [len(publisher.acknowledged) for publisher in publishers]
        more = chance.randrange(1, 60)
        for publisher, had in zip(publishers, before, strict=True):
            wait_for(lambda p=publisher, n=had + more: len(p.acknowledged) >= n, "acknowledgements")
        restart(lab)
    doubles = []
    for publisher in publishers:
        publisher.end()
        # paho sends what is new as soon as it has sent CONNECT, before what it still owes: the order in which it published is
        # its own affair then. That nothing is missing, and that all subscribers have the same order, is the broker's.
        order = None
        for subscriber in [*subscribers, mosquitto]:
            got = subscriber.got[publisher.topic]
            # mosquitto_sub does not say when it has subscribed.
            expected = set(publisher.sent if order is None else order[order.index(got[0]) :])
            wait_for(lambda g=got, e=expected: e <= set(g), f"what {publisher.topic} published")
            order = order or once(got)
            assert once(got) == order[order.index(got[0]) :], (publisher.topic, subscriber.name)
            assert subscriber is mosquitto or set(got) == set(publisher.sent), (publisher.topic, subscriber.name)
            if publisher.qos == 2 and subscriber in subscribers[:2]:
                doubled = [number for number, count in collections.Counter(got).items() if count > 1]
                doubles += [(publisher.topic, subscriber.name, doubled)] if doubled else []
    assert not doubles
    for peer in everyone:
        # Clean Start was never asked for, so the first connection alone found nothing.
        assert peer.present[0] is False and all(peer.present[1:]) and len(peer.present) > KILLS // 2, peer.present
        peer.stop()
    mosquitto.stop()


def test_what_an_absent_client_is_owed_is_there_after_a_kill(lab):
    absent = Peer(lab, "absent", V5)
    options = SubscribeOptions(qos=2, retainAsPublished=True)
    absent.subscribed.clear()
    absent.paho.subscribe("t/#", options=options)
    assert absent.subscribed.wait(PATIENCE)
    absent.stop()
    publisher = Peer(lab, "p", V311)
    for qos in (1, 2):
        for number in range(50):
            publisher.paho.publish(f"t/{qos}", str(number), qos).wait_for_publish(PATIENCE)
    publisher.paho.publish("t/kept", "kept", 1, retain=True).wait_for_publish(PATIENCE)
    publisher.paho.publish("t/gone", "gone", 1, retain=True).wait_for_publish(PATIENCE)
    publisher.paho.publish("t/gone", "", 1, retain=True).wait_for_publish(PATIENCE)
    wait_for(lambda: len(publisher.acknowledged) >= 103, "acknowledgements")
    publisher.stop()
    restart(lab)
    restart(lab)
    fresh = Peer(lab, "fresh", V311).subscribe("t/#", 1)
    back = Peer(lab, "absent", V5)
    assert back.present == [True]
    numbers = [str(number) for number in range(50)]
    expected = {"t/1": numbers, "t/2": numbers, "t/kept": ["kept"], "t/gone": ["gone", ""]}
    wait_for(lambda: sum(map(len, back.got.values())) >= 103, "what is owed")
    assert back.got == expected
    wait_for(lambda: fresh.got, "the retained message")
    publisher = Peer(lab, "p", V311)
    publisher.paho.publish("t/3", "live", 1).wait_for_publish(PATIENCE)
    wait_for(lambda: "t/3" in back.got and "t/3" in fresh.got, "a live message")
    assert fresh.got == {"t/kept": ["kept"], "t/3": ["live"]}
    for peer in (fresh, back, publisher):
        peer.stop()


def test_a_session_that_expires_while_the_broker_is_down_ends_and_its_will_is_published(lab):
    watcher = Peer(lab, "watcher", V311).subscribe("will", 1)
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 1
    will = Properties(PacketTypes.WILLMESSAGE)
    will.WillDelayInterval = 3600
    dying = paho.Client(CallbackAPIVersion.VERSION2, "dying", protocol=V5, reconnect_on_failure=False)
    dying.will_set("will", "gone", 1, properties=will)
    connected = threading.Event()
    dying.on_connect = lambda *_: connected.set()
    dying.connect("127.0.0.1", lab_port(lab), 60, clean_start=True, properties=properties)
    dying.loop_start()
    assert connected.wait(PATIENCE)
    subscribed = threading.Event()
    dying.on_subscribe = lambda *_: subscribed.set()
    dying.subscribe("x", 1)
    assert subscribed.wait(PATIENCE)
    restart(lab)
    dying.loop_stop()
    wait_for(lambda: watcher.got, "the will")
    assert watcher.got == {"will": ["gone"]}
    again = Peer(lab, "dying", V5)
    assert again.present == [False]
    for peer in (watcher, again):
        peer.stop()


def test_without_persistence_nothing_is_kept(tmp_path):
    with Broker(tmp_path / "data", PLAIN, TIDEGATE_MQTT_PERSISTENCE="false") as lab:
        settle_port(lab)
        peer = Peer(lab, "c", V311).subscribe("t", 1)
        peer.paho.publish("t", "m", 1, retain=True).wait_for_publish(PATIENCE)
        peer.stop()
        restart(lab)
        peer = Peer(lab, "c", V311)
        assert peer.present == [False]
        peer.stop()
