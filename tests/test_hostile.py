"""Bad input over MQTT: every packet that is wrong gets the documented answer, costs its own connection, and no more."""

import contextlib
import random
import socket
import struct
import threading

import pytest

from support.broker import wait_for
from support.hostile import MIB, bystander, greet, hostile, port, registered  # noqa: F401, F811: fixtures among them
from support.mqtt import context
from support.raw import (
    CONNECT_OK_V4,
    ack,
    bare,
    connect,
    descriptors,
    mqtt,
    ping,
    plain,
    publish,
    read_packet,
    resident,
    send,
    split,
    subscribe,
    text,
    to_the_end,
    varint,
    vectors,
)


def is_whole(data):
    """Whether `data` is one packet by its own header: on a stream, what is short is waited for."""
    with contextlib.suppress(IndexError):
        length, shift, at = 0, 0, 1
        while at < 5:
            length |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not data[at - 1] & 0x80:
                return len(data) == at + length
        return True
    return False


@pytest.mark.parametrize("version", [4, 5])
def test_every_malformed_packet_ends_its_connection_with_the_code_for_it(port, bystander, version):
    for number, (code, _, data, shows) in enumerate(vectors(version)):
        if not is_whole(data):
            continue
        with mqtt(port, f"v{number}", version) as sock:
            send(sock, data)
            said = split(to_the_end(sock))
        # DISCONNECT has no 0x84: a second CONNECT is an error of its own.
        expected = [] if version == 4 else [(0xE0, bytes([0x82 if code == 0x84 else code]))]
        assert [bare(packet) for packet in said] == expected, shows


@pytest.mark.parametrize("version", [4, 5])
def test_every_malformed_first_packet_is_refused_without_a_session(port, bystander, version):
    for code, _, data, shows in vectors(version):
        if not is_whole(data):
            continue
        with plain(port) as sock:
            send(sock, data)
            said = split(to_the_end(sock))
        if data.startswith(b"\x10") and b"\0\x04MQTT\x05" in data[:12]:
            assert said == [(0x20, bytes([0, code, 0]))], shows
        elif data.startswith(b"\x10") and b"\0\x04MQTT\x03" in data[:12]:
            assert said == [(0x20, b"\0\1")], shows
        else:
            assert said in ([], [(0x20, b"\0\1")], [(0x20, bytes([0, code, 0]))]), shows


def test_noise_costs_connections_and_nothing_else(hostile, port, bystander):
    chance, before = random.Random(20), descriptors(hostile)
    talk = connect("noise", 5) + subscribe("n/+/b", version=5) + publish("n/x/b", b"123", 1, version=5)
    talk += publish("n/x/b", b"123", 2, 2, version=5) + ack(0x62, 2)
    for number in range(600):
        if number % 2:
            noise = bytearray(talk)
            for _ in range(chance.randrange(1, 4)):
                noise[chance.randrange(len(noise))] = chance.randrange(256)
            noise = noise[: chance.randrange(10, len(noise) + 1)]
        else:
            noise = (connect("noise") if number % 4 else b"") + chance.randbytes(chance.randrange(1, 400))
        with plain(port) as sock:
            send(sock, bytes(noise))
    wait_for(lambda: descriptors(hostile) <= before + 2, "the sockets to be closed")


def test_packets_may_come_byte_by_byte(port):
    with plain(port) as sock:
        for byte in connect("slow") + subscribe("s/#") + publish("s/x", b"hello") + b"\xc0\0":
            sock.sendall(bytes([byte]))
        said = [read_packet(sock) for _ in range(4)]
    assert said == [(0x20, b"\0\0"), (0x90, b"\0\1\0"), (0x30, text("s/x") + b"hello"), (0xD0, b"")]


def test_memory_grows_with_what_was_received_not_with_what_was_announced(hostile, port):
    before, socks = resident(hostile), []
    for number in range(200):
        socks.append(plain(port))
        socks[-1].sendall(b"\x10" + varint(MIB // 5) + b"\0\x04MQTT\x04\x02\0\x3c")
        socks.append(mqtt(port, f"announcer{number}"))
        socks[-1].sendall(b"\x30" + varint(MIB) + b"\0\x01a")
    with mqtt(port, "measure") as sock:
        assert ping(sock)
    assert resident(hostile) - before < 40 * MIB  # 240 MiB were announced
    for sock in socks:
        sock.close()


def test_first_packets_that_are_never_finished_hold_little_memory(hostile, port, registered):
    tls, before, socks = context(hostile, registered[1]), resident(hostile), []
    for number in range(1000):
        socks.append(plain(port))
        send(socks[-1], b"\x10" + varint(250_000) + b"\0" * 200_000)  # without TLS; with it nobody gets that far
        if number % 250 == 249:
            assert greet(hostile, tls) == CONNECT_OK_V4
    assert resident(hostile) - before < 80 * MIB  # of 200 MB that were sent; the broker's bound is 32 MiB
    for sock in socks:
        sock.close()


def test_a_first_packet_has_a_limit_of_its_own(port):
    for times, answer in ((4, b"\0\0"), (5, b"\0\x95")):
        properties = (b"\x26" + text("k") + text("v" * 60_000)) * times
        with plain(port) as sock:
            send(sock, connect("long", 5, properties=properties))
            assert read_packet(sock)[1][:2] == answer


DEEP, LONG = "/" * 65_535, "/".join(["+"] * 30_000)
ALIAS = {number: b"\x23" + number.to_bytes(2, "big") for number in (0, 1, 65)}
FLOOD = (b"\x26" + text("k") + text("v")) * 100_000


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (publish(DEEP, qos=1, version=5), (0x40, b"\0\1\x90")),
        (publish(DEEP, version=5), (0xE0, b"\x90")),
        (subscribe(LONG, version=5), (0x90, b"\0\1\0\x8f")),
        (subscribe("$share/g/" + LONG, version=5), (0x90, b"\0\1\0\x8f")),
        (subscribe("$share/" + "g" * 60_000 + "/a", version=5), (0x90, b"\0\1\0\x8f")),
        (subscribe(*map(str, range(2000)), version=5), (0xE0, b"\x97")),
        (publish("t", qos=1, version=5, properties=ALIAS[0]), (0xE0, b"\x94")),
        (publish("t", qos=1, version=5, properties=ALIAS[65]), (0xE0, b"\x94")),
        (publish("", qos=1, version=5, properties=ALIAS[1]), (0xE0, b"\x82")),
        (publish("t", qos=1, version=5, properties=FLOOD), (0x40, b"\0\1\x10")),
        (publish("t", qos=1, version=5, properties=FLOOD * 2), (0xE0, b"\x95")),
        (b"\x30\xff\xff\xff\x7f", (0xE0, b"\x95")),
        (connect("again", 5), (0xE0, b"\x82")),
        (b"".join(publish("q", qos=2, packet_id=n, version=5) for n in range(1, 1101)), (0xE0, b"\x93")),
    ],
    ids=[
        "65535 slashes", "65535 slashes at QoS 0", "30000 levels", "30000 shared levels", "a long share name", "2000 filters", "alias 0",
        "alias 65", "an alias nobody set", "100000 user properties", "200000 user properties", "256 MiB", "CONNECT twice", "1100 open QoS 2",
    ],
)  # fmt: skip
def test_what_is_beyond_a_limit_gets_the_code_for_it(port, bystander, data, answer):
    with mqtt(port, "limits", 5) as sock:
        send(sock, data)
        said = read_packet(sock)
        while said and said[0] == 0x50:
            said = read_packet(sock)
        assert bare(said) == answer


@pytest.mark.parametrize(("length", "v4", "v5"), [(1024, 0, 0), (1025, 2, 0x85), (65_535, 2, 0x85)])
def test_long_client_ids_are_refused(port, length, v4, v5):
    for version, code in ((4, v4), (5, v5)):
        with plain(port) as sock:
            sock.sendall(connect("c" * length, version))
            assert read_packet(sock)[1][1] == code


def test_a_replayed_qos_2_message_arrives_once(port):
    with mqtt(port, "replay") as sock:
        sock.sendall(subscribe("replay"))
        assert read_packet(sock) == (0x90, b"\0\1\0")
        for number in range(4):
            sock.sendall(publish("replay", bytes([number]), 2, 7, dup=number > 0))
        said = [read_packet(sock) for _ in range(5)]
        assert sorted(said) == [(0x30, text("replay") + b"\0")] + [(0x50, b"\0\7")] * 4
        sock.sendall(ack(0x62, 7) * 2 + ack(0x40, 999) + ack(0x70, 999))
        assert [read_packet(sock) for _ in range(2)] == [(0x70, b"\0\7")] * 2
        assert ping(sock)


def test_who_does_not_read_costs_others_nothing_and_memory_little(hostile, port, bystander):
    lazy = [mqtt(port, f"lazy{number}") for number in range(10)]
    for sock in lazy:
        sock.sendall(subscribe("#", qos=1))
        assert read_packet(sock)
    before = resident(hostile)
    with mqtt(port, "reader") as reader, mqtt(port, "talker") as talker:
        reader.sendall(subscribe("load"))
        assert read_packet(reader)
        for number in range(1, 2001):  # 20 MB to each
            talker.sendall(publish("load", b"x" * 10_000, 1, number))
            assert read_packet(talker) == (0x40, number.to_bytes(2, "big"))
            assert read_packet(reader)[0] == 0x30
    for sock in lazy:
        send(sock, b"\xc0\0" * 50_000)
    assert ping(bystander)
    assert resident(hostile) - before < 60 * MIB  # 10 sessions: outbox and queue of 1 MiB each, and what encryption and sockets add
    for sock in lazy:
        sock.close()


def test_a_storm_of_connections_leaves_nothing_behind(hostile, port, bystander):
    def storm(name):
        for number in range(100):
            with contextlib.suppress(ConnectionError):
                sock = plain(port)
                sock.sendall(connect(f"storm{name}-{number % 10}"))
                if number % 3:
                    read_packet(sock)
                if number % 2:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()

    files, memory = descriptors(hostile), None
    for _ in range(2):
        storms = [threading.Thread(target=storm, args=(name,)) for name in range(10)]
        for thread in storms:
            thread.start()
        for thread in storms:
            thread.join()
        wait_for(lambda: descriptors(hostile) <= files + 2, "the sockets to be closed")
        memory = memory or resident(hostile)
    assert resident(hostile) < memory * 1.1


def test_clients_that_fight_over_one_name_disturb_nobody_else(port, bystander):
    over = threading.Event()

    def fight(version):
        while not over.is_set():
            with contextlib.suppress(ConnectionError), plain(port) as sock:
                sock.sendall(connect("twin", version) + subscribe("twin/#", version=version))
                to_the_end(sock)

    fighters = [threading.Thread(target=fight, args=(4 + number % 2,)) for number in range(8)]
    for fighter in fighters:
        fighter.start()
    assert all(ping(bystander) for _ in range(300))
    over.set()
    last = mqtt(port, "twin")  # ends the last fight, unless somebody is still on its way; that one stays until it is ended
    for fighter in fighters:
        while fighter.is_alive():
            fighter.join(0.1)
            with contextlib.suppress(ConnectionError):
                last.close()
                last = mqtt(port, "twin")
    assert ping(last)
    last.close()
