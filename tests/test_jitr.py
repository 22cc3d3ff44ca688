"""Who is registered at first CONNECT, who is not, and what the event says."""

import json
import re
import ssl
import threading
import time

import pytest

from support.aws import Aws, activate, allow_all, describe, register_ca
from support.broker import Broker, wait_for
from support.mqtt import NOT_AUTHORIZED, V5, V311, Client, Closed, answer, connect_packet, tls_socket
from support.pki import Ca, Device, certificate_id


@pytest.fixture
def events(broker, account, aws, tmp_path):
    """A client that listens to the account's registrations."""
    ca = Ca(tmp_path / "watcher", f"Watcher of {account.account_id}")
    register_ca(aws, ca)
    device = ca.sign("watcher")
    made = aws.iot("register-certificate", "--certificate-pem", f"file://{device.certificate}", "--status", "ACTIVE")
    aws.iot("attach-policy", "--policy-name", allow_all(aws, "watcher"), "--target", made["certificateArn"])
    with Client(broker, device) as client:
        client.subscribe("$aws/events/certificates/registered/+")
        yield client


def knock(broker, device, version=V311):
    """Connects, is refused."""
    with pytest.raises(Closed):
        Client(broker, device, version=version).connect()


def of_ca(aws, ca):
    """The ids of the certificates of `ca`."""
    listed = aws.iot("list-certificates-by-ca", "--ca-certificate-id", ca.certificate_id)["certificates"]
    return [c["certificateId"] for c in listed]


def test_the_event_has_aws_types_and_nulls_and_is_repeated_while_pending(broker, account, aws, ca, events):
    ca_id = register_ca(aws, ca)
    device = ca.sign("d")
    before = time.time() * 1000
    knock(broker, device)
    first = events.message()
    assert first.topic == f"$aws/events/certificates/registered/{ca_id}"
    body = json.loads(first.payload)
    assert before - 1000 < body.pop("timestamp") < time.time() * 1000 + 1000
    assert body == {
        "certificateId": device.certificate_id,
        "caCertificateId": ca_id,
        "certificateStatus": "PENDING_ACTIVATION",
        "awsAccountId": account.account_id,
        "certificateRegistrationTimestamp": None,
    }
    registered = json.loads(first.payload)["timestamp"]

    knock(broker, device, V5)
    second = json.loads(events.message().payload)
    assert isinstance(second["timestamp"], int) and second["timestamp"] >= registered
    assert second["certificateRegistrationTimestamp"].isdigit()
    assert int(second["certificateRegistrationTimestamp"]) <= second["timestamp"]
    description = describe(aws, device.certificate_id)
    assert description["status"] == "PENDING_ACTIVATION"
    assert description["caCertificateId"] == ca_id
    assert description["certificatePem"].startswith("-----BEGIN CERTIFICATE-----")


def test_a_3_1_1_client_hears_nothing_in_aws_manners_and_connack_5_otherwise(broker, aws, ca, events):
    register_ca(aws, ca)
    device = ca.sign("d")
    for port, heard in ((broker.aws_port, b""), (broker.aws_port, b""), (broker.port, NOT_AUTHORIZED)):
        with tls_socket(broker, device, port=port) as sock:
            sock.sendall(connect_packet("d"))
            assert answer(sock) == heard
        events.message()


def test_a_5_client_is_told_what_is_missing(broker, aws, ca):
    register_ca(aws, ca)
    client = Client(broker, ca.sign("d"), version=V5)
    with pytest.raises(Closed) as refused:
        client.connect()
    assert refused.value.reason.value == 0x87
    assert "PENDING_ACTIVATION" in client.connack.ReasonString


def test_a_handshake_alone_registers_nothing(broker, aws, ca, events):
    register_ca(aws, ca)
    device = ca.sign("d")
    with tls_socket(broker, device):
        pass
    with tls_socket(broker, device, version=ssl.TLSVersion.TLSv1_2) as sock:
        sock.sendall(b"\xc0\x00")  # PINGREQ before CONNECT
        assert answer(sock) == b""
    assert of_ca(aws, ca) == []
    assert events.silent()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["tls1.2", "tls1.3"])
@pytest.mark.parametrize("kind", ["ec", "P-384", "P-521", "rsa"])
@pytest.mark.parametrize("extensions", [None, "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=clientAuth\n"], ids=["v1", "v3"])
def test_keys_and_certificates_of_every_kind_register(broker, aws, ca, kind, extensions, version):
    register_ca(aws, ca)
    device = ca.sign("d", kind, extensions=extensions)
    refused(broker, device, version=version)
    assert of_ca(aws, ca) == [device.certificate_id]


def test_leaf_and_ca_in_one_chain_register(broker, aws, ca):
    register_ca(aws, ca)
    device = ca.sign("d")
    chain = device.certificate.with_suffix(".chain")
    chain.write_text(device.certificate.read_text() + ca.certificate.read_text())
    knock(broker, Device(chain, device.key))
    assert of_ca(aws, ca) == [device.certificate_id]


def test_without_sni_the_issuer_tells_the_account_and_aws_manners_refuse(broker, aws, ca):
    register_ca(aws, ca)
    device = ca.sign("d")
    refused(broker, device, server_name=None, port=broker.aws_port)
    assert of_ca(aws, ca) == []
    refused(broker, device, server_name=None)
    assert of_ca(aws, ca) == [device.certificate_id]


def refused(broker, device, **options):
    """No handshake that ends well, or no CONNACK that lets in."""
    try:
        with tls_socket(broker, device, **options) as sock:
            sock.sendall(connect_packet("d"))
            assert answer(sock) in (b"", NOT_AUTHORIZED)
    except (ssl.SSLError, ConnectionError):
        pass


def test_an_unknown_ca_registers_nobody(broker, aws, ca, events):
    device = ca.sign("d")
    refused(broker, device)
    assert events.silent()
    wait_for(lambda: broker.log_entries(eventType="Connection.AuthNError", reason="DEVICE_CERTIFICATE_NOT_REGISTERED"), "a log line")


def test_an_inactive_ca_registers_nobody_and_known_leaves_go_on(broker, aws, ca, events):
    register_ca(aws, ca)
    known = ca.sign("known")
    knock(broker, known)
    events.message()
    activate(aws, known.certificate_id, allow_all(aws))
    aws.iot("update-ca-certificate", "--certificate-id", ca.certificate_id, "--new-status", "INACTIVE")
    refused(broker, ca.sign("new"))
    assert of_ca(aws, ca) == [known.certificate_id]
    with Client(broker, known):
        pass


def test_a_ca_registered_without_set_as_active_is_inactive(broker, aws, ca):
    register_ca(aws, ca, active=False)
    described = aws.iot("describe-ca-certificate", "--certificate-id", ca.certificate_id)["certificateDescription"]
    assert (described["status"], described["autoRegistrationStatus"]) == ("INACTIVE", "ENABLE")
    refused(broker, ca.sign("d"))
    assert of_ca(aws, ca) == []


def test_auto_registration_is_switched_on_and_off(broker, aws, ca):
    register_ca(aws, ca, auto=False)
    describe_ca = lambda: aws.iot("describe-ca-certificate", "--certificate-id", ca.certificate_id)["certificateDescription"]  # noqa: E731
    assert describe_ca()["autoRegistrationStatus"] == "DISABLE"
    device = ca.sign("d")
    refused(broker, device)
    assert of_ca(aws, ca) == []
    aws.iot("update-ca-certificate", "--certificate-id", ca.certificate_id, "--new-auto-registration-status", "ENABLE")
    assert describe_ca()["autoRegistrationStatus"] == "ENABLE"
    knock(broker, device)
    assert of_ca(aws, ca) == [device.certificate_id]


@pytest.mark.parametrize(
    "dates", [("20200101000000Z", "20210101000000Z"), ("20900101000000Z", "20910101000000Z")], ids=["expired", "not-yet-valid"]
)
def test_a_leaf_outside_its_validity_registers_nothing(broker, aws, ca, dates):
    register_ca(aws, ca)
    refused(broker, ca.sign("d", dates=dates))
    assert of_ca(aws, ca) == []


def test_a_leaf_whose_key_the_client_does_not_hold_registers_nothing(broker, aws, ca):
    # No TLS library loads a pair that does not fit; an imitated CA of the same name is the attack that is left.
    register_ca(aws, ca)
    imitation = Ca(ca.directory / "imitation", ca.common_name)
    refused(broker, imitation.sign("d"))
    assert of_ca(aws, ca) == []


def test_two_hundred_first_connects_of_one_leaf_make_one_row(broker, aws, ca, events):
    register_ca(aws, ca)
    device = ca.sign("d")
    start = threading.Barrier(50)

    def storm(number):
        start.wait()
        for attempt in range(4):
            refused(broker, device)

    threads = [threading.Thread(target=storm, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert of_ca(aws, ca) == [device.certificate_id]
    first = [json.loads(events.message().payload) for _ in range(200)]
    assert {event["certificateId"] for event in first} == {device.certificate_id}
    assert sum(event["certificateRegistrationTimestamp"] is None for event in first) >= 1


def test_a_deleted_certificate_registers_anew(broker, aws, ca, events):
    register_ca(aws, ca)
    device = ca.sign("d")
    knock(broker, device)
    assert json.loads(events.message().payload)["certificateRegistrationTimestamp"] is None
    aws.iot("update-certificate", "--certificate-id", device.certificate_id, "--new-status", "INACTIVE")
    refused(broker, device)
    aws.iot("delete-certificate", "--certificate-id", device.certificate_id)
    knock(broker, device)
    assert json.loads(events.message().payload)["certificateRegistrationTimestamp"] is None
    assert describe(aws, device.certificate_id)["status"] == "PENDING_ACTIVATION"


def test_clients_may_not_forge_the_event(broker, aws, ca, events):
    register_ca(aws, ca)
    device = ca.sign("d")
    knock(broker, device)
    events.message()
    activate(aws, device.certificate_id, allow_all(aws))
    client = Client(broker, device).connect()
    with pytest.raises(Closed):
        client.publish(f"$aws/events/certificates/registered/{ca.certificate_id}", b"{}")
    assert events.silent()


def test_the_same_ca_and_leaf_in_two_accounts_are_strangers(broker, tmp_path):
    """SNI_ONLY: the same CA in two accounts; DEFAULT mode in a second account is refused."""
    ca = Ca(tmp_path / "shared")
    one, two = Aws(broker, broker.create_account()), Aws(broker, broker.create_account())
    for aws in (one, two):
        made = aws.iot("register-ca-certificate", "--ca-certificate", f"file://{ca.certificate}", "--certificate-mode", "SNI_ONLY", "--set-as-active")
        assert made["certificateId"] == certificate_id(ca.certificate)
        described = aws.iot("describe-ca-certificate", "--certificate-id", ca.certificate_id)["certificateDescription"]
        assert described["certificateMode"] == "SNI_ONLY"
        assert described["ownedBy"] == aws.account.account_id


def test_the_endpoint_in_sni_chooses_the_account_for_the_same_ca_and_leaf(tmp_path):
    """SNI_ONLY: one leaf registers in each account through that account's endpoint, and nowhere without one."""
    ca = Ca(tmp_path / "shared")
    device = ca.sign("d")
    with Broker(tmp_path / "data", TIDEGATE_MQTT_ENDPOINT_DOMAIN="example.test") as broker:
        accounts = [Aws(broker, broker.create_account()) for _ in range(2)]
        for aws in accounts:
            certificate = ("--ca-certificate", f"file://{ca.certificate}", "--certificate-mode", "SNI_ONLY")
            aws.iot("register-ca-certificate", *certificate, "--set-as-active", "--allow-auto-registration")
        endpoints = [aws.iot("describe-endpoint", "--endpoint-type", "iot:Data-ATS")["endpointAddress"] for aws in accounts]
        assert all(re.fullmatch(r"[a-z0-9]{14}-ats\.iot\.us-east-1\.example\.test", endpoint) for endpoint in endpoints)
        assert endpoints[0] != endpoints[1]
        for name in (None, broker.host, "unknown0000000-ats.iot.us-east-1.example.test"):
            refused(broker, device, server_name=name)
        assert [of_ca(aws, ca) for aws in accounts] == [[], []]
        refused(broker, device, server_name=endpoints[1])
        assert [of_ca(aws, ca) for aws in accounts] == [[], [device.certificate_id]]
        activate(accounts[1], device.certificate_id, allow_all(accounts[1]))
        refused(broker, device, server_name=endpoints[0])
        assert describe(accounts[0], device.certificate_id)["status"] == "PENDING_ACTIVATION"
        with tls_socket(broker, device, server_name=endpoints[1]) as sock:
            sock.sendall(connect_packet("d"))
            assert answer(sock) == b"\x20\x02\x00\x00"
