"""Bad input and rude peers, to the process as a whole: its admin socket, its end, and a kill under load."""

import contextlib
import json
import socket
import threading
from urllib.parse import quote

from support.broker import Broker, wait_for
from support.hostile import EVERYTHING, JSON, LISTENER, hostile, plain_port  # noqa: F401, F811: fixtures among them
from support.raw import Api, bare, mqtt, ping, plain, publish, read_packet, send, subscribe, to_the_end


def test_the_admin_socket_answers_garbage(hostile):
    def ask(data):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(hostile.data / "admin.sock"))
            send(sock, data)
            with contextlib.suppress(ConnectionError):
                sock.shutdown(socket.SHUT_WR)
            return to_the_end(sock)

    wrong = (b'{"command":"createAccount","id":"1"}\n', b'{"command":"stop"}\n', b"[" * 4000 + b"\n", b"x" * 1000)
    for data in (b"", b"\n", b"garbage\n", b"\xff\xfe\n", *wrong):
        assert json.loads(ask(data))["Err"].startswith("not a request"), data
    ask(b"x" * 100_000)  # more than is read: answered or cut
    assert hostile.run("account", "list").returncode == 0


def test_a_stop_waits_for_no_rude_peer(tmp_path):
    with Broker(tmp_path / "data", LISTENER) as broker:
        port = plain_port(broker)
        told, lazy, talker = mqtt(port, "told", 5), mqtt(port, "lazy"), mqtt(port, "talker")
        lazy.sendall(subscribe("#"))
        for _ in range(40):
            talker.sendall(publish("x", b"y" * 100_000))
        assert ping(talker)
        rude = [plain(broker.port) for _ in range(50)] + [Api(broker).socket() for _ in range(5)]
        rude[-1].sendall(b"POST / HTTP/1.1\r\nHost: x\r\n")
        assert broker.stop() == 0
        assert bare(read_packet(told)) == (0xE0, b"\x8b")
        for sock in (told, lazy, talker, *rude):
            sock.close()


def policies(api):
    """The names of all policies."""
    found, marker = set(), ""
    while marker is not None:
        page = json.loads(api.call("GET", f"/policies?pageSize=250{marker}")[1])
        found |= {policy["policyName"] for policy in page["policies"]}
        marker = f"&marker={quote(page['nextMarker'], safe='')}" if page.get("nextMarker") else None
    return found


def test_what_was_answered_under_load_survives_kill_9(tmp_path):
    with Broker(tmp_path / "data", LISTENER) as broker:
        made = set()
        for round_ in range(3):
            api, port, over = Api(broker), plain_port(broker), threading.Event()

            def create(name, api=api, round_=round_, over=over):
                number = 0
                while not over.is_set():
                    number += 1
                    policy = f"p{round_}-{name}-{number}"
                    with contextlib.suppress(OSError):
                        if api.call("POST", f"/policies/{policy}", json.dumps({"policyDocument": EVERYTHING}), headers=JSON)[0] == 200:
                            made.add(policy)

            def talk(name, port=port, over=over):
                with contextlib.suppress(OSError, AssertionError, TypeError), mqtt(port, f"load{name}") as sock:
                    while not over.is_set():
                        sock.sendall(publish("load", b"x" * 100, 1))
                        assert read_packet(sock)

            load = [threading.Thread(target=act, args=(name,)) for act in (create, talk) for name in range(4)]
            for thread in load:
                thread.start()
            enough = len(made) + 40
            wait_for(lambda: len(made) >= enough, "some load")
            broker.kill()
            over.set()
            for thread in load:
                thread.join()
            broker.start()
            assert made <= policies(Api(broker))
        assert "panicked" not in broker.log.read_text(errors="replace")
