"""The API among peers without credentials, and a store that was damaged while nobody ran it."""

import contextlib
import time

import pytest

from support.broker import Broker
from support.raw import Api, plain, send

SEATS = 512  # connections that the API takes at one time
PROMPT = 3  # seconds; silent peers are waited for much longer than that
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path / "data") as broker:
        yield broker
        assert broker.process.poll() is None, "the broker ended"
        assert "panicked" not in broker.log.read_text(errors="replace")


def is_prompt(api):
    since = time.monotonic()
    assert api.call("GET", "/policies")[0] == 200
    return time.monotonic() - since < PROMPT


def is_closed(sock):
    """Whether the peer has ended the connection, whatever it sent before."""
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_silent_connections_keep_nobody_waiting(broker):
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(plain(Api(broker).port)) for _ in range(SEATS + 8)]
        assert is_prompt(Api(broker))
        assert is_closed(silent[0]), "the oldest made room"


def test_who_asks_for_health_and_reads_nothing_keeps_nobody_waiting(broker):
    api = Api(broker)
    with contextlib.ExitStack() as stack:
        greedy = [stack.enter_context(api.socket()) for _ in range(SEATS)]
        for sock in greedy:
            sock.settimeout(0)
            with contextlib.suppress(OSError):
                send(sock, HEALTH * 2000)
        assert is_prompt(api)


def test_a_signed_connection_outlives_a_crowd(broker):
    api = Api(broker)
    with contextlib.ExitStack() as stack:
        known = stack.enter_context(api.socket())
        for crowd in (0, SEATS):
            for _ in range(crowd):
                stack.enter_context(plain(api.port))
            known.sendall(api.signed("GET", "/policies"))
            assert known.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("place", [0, 1, "middle"])
def test_a_store_with_a_damaged_journal_is_refused_in_words(tmp_path, place):
    with Broker(tmp_path / "data") as broker:
        assert Api(broker).call("GET", "/registrationcode")[0] == 200
        assert broker.stop() == 0
        (journal,) = broker.data.rglob("*.jnl")
        content = bytearray(journal.read_bytes())
        at = len(content.rstrip(b"\0")) // 2 if place == "middle" else place
        content[at] ^= 0xFF
        journal.write_bytes(content)
        said = broker.log.stat().st_size
        for _ in range(2):
            assert broker.launch().process.wait(60) not in (0, None)
        log = broker.log.read_bytes()[said:].decode(errors="replace")
        assert "is damaged" in log and "from a backup" in log and str(broker.data) in log
