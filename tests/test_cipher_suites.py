"""Which cipher suite is agreed on, and that sessions are resumed under it or begin anew. Decision 0017."""

import re
import subprocess

import pytest

from support.aws import Aws, device_of, register_ca
from support.broker import PATIENCE, Broker
from support.mqtt import connect_packet
from support.pki import Ca

AES_128, AES_256 = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"
CHACHA20 = "TLS_CHACHA20_POLY1305_SHA256"
DISCONNECT = b"\xe0\x00"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("suites") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def device(broker, tmp_path_factory):
    aws, ca = Aws(broker), Ca(tmp_path_factory.mktemp("suites-ca"))
    register_ca(aws, ca)
    return device_of(aws, ca)


def visit(broker, device, *options):
    """A connection of OpenSSL's client with one CONNECT: `New` or `Reused`, the version, the suite."""
    talk = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{broker.port}", "-servername", "localhost", "-nocommands", "-ign_eof",
         "-CAfile", broker.ca_file, "-cert", device.certificate, "-key", device.key, *options],
        input=connect_packet("suites") + DISCONNECT,
        capture_output=True,
        timeout=PATIENCE,
    )  # fmt: skip
    output = talk.stdout.decode(errors="replace")
    assert b"\x20\x02\x00\x00" in talk.stdout, output  # CONNACK
    return re.search(r"(New|Reused), (\S+), Cipher is (\S+)", output).groups()


@pytest.mark.parametrize(
    "offered, chosen",
    [
        ([AES_256, CHACHA20, AES_128], AES_128),  # OpenSSL's own order
        ([AES_128, AES_256, CHACHA20], AES_128),
        ([AES_256, CHACHA20], AES_256),
        ([AES_256], AES_256),
        ([CHACHA20, AES_128, AES_256], CHACHA20),
        ([CHACHA20], CHACHA20),
    ],
)
def test_tls_1_3_takes_aes_128_unless_chacha20_comes_first(broker, device, offered, chosen):
    assert visit(broker, device, "-ciphersuites", ":".join(offered)) == ("New", "TLSv1.3", chosen)


@pytest.mark.parametrize(
    "offered, chosen",
    [
        (["AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-GCM-SHA256"], "AES128-GCM-SHA256"),
        (["AES256-GCM-SHA384", "CHACHA20-POLY1305"], "AES256-GCM-SHA384"),
        (["CHACHA20-POLY1305", "AES128-GCM-SHA256"], "CHACHA20-POLY1305"),
    ],
)
def test_tls_1_2_takes_aes_128_unless_chacha20_comes_first(broker, device, offered, chosen):
    of = lambda suite: f"ECDHE-ECDSA-{suite}"
    options = ["-tls1_2", "-cipher", ":".join(map(of, offered))]
    assert visit(broker, device, *options) == ("New", "TLSv1.2", of(chosen))


@pytest.mark.parametrize(
    "first, then, resumed",
    [
        (["-ciphersuites", AES_128], [], True),
        (["-ciphersuites", CHACHA20], ["-ciphersuites", f"{CHACHA20}:{AES_128}"], True),
        # Another suite than the ticket's: a handshake from the beginning, whether its hash is the same or not.
        (["-ciphersuites", CHACHA20], ["-ciphersuites", f"{AES_128}:{CHACHA20}"], False),
        (["-ciphersuites", AES_256], ["-ciphersuites", f"{AES_256}:{AES_128}"], False),
        (["-tls1_2"], ["-tls1_2"], True),
    ],
)
def test_a_ticket_resumes_under_its_own_suite_and_does_no_harm_under_another(
    broker, device, tmp_path, first, then, resumed
):
    session = tmp_path / "session.pem"
    visit(broker, device, *first, "-sess_out", session)
    assert session.exists()
    how, _, suite = visit(broker, device, *then, "-sess_in", session)
    assert how == ("Reused" if resumed else "New")
    assert resumed or suite == AES_128
