"""What a name decides at the gateway: the account, the certificate, the TLS and the protocol."""

import contextlib
import re
import socket
import ssl
import subprocess
import uuid

import pytest

from support.aws import allow_all
from support.broker import PATIENCE
from support.domains import Account, At, account, broker, comes_in, curl, here, s_client, verified, why  # noqa: F401, F811: fixtures among them
from support.mqtt import V311, V5, Client, Closed, mosquitto_command
from support.pki import Ca
from support.socks import Socks

POLICIES = {
    "IoTSecurityPolicy_TLS13_1_3_2022_10": {"1.3"},
    "IoTSecurityPolicy_TLS13_1_2_2022_10": {"1.2", "1.3"},
    "IoTSecurityPolicy_TLS12_1_2_2022_10": {"1.2"},
    "IoTSecurityPolicy_TLS12_1_0_2016_01": {"1.2"},
    "IoTSecurityPolicy_TLS12_1_0_2015_01": {"1.2"},
}


def test_openssl_sees_the_certificate_of_each_name(account, broker):
    brought, made_up = account.configure(), account.configure(domainName=None)
    for name in (brought, made_up):
        seen = s_client(account.at(name), device=account.device)
        assert verified(account.at(name), device=account.device) and f"CN = {account.at(name).host}"[:69] in seen.replace("CN=", "CN = "), seen
    host = account.at(made_up).host
    assert re.fullmatch(rf"d[a-z2-7]{{20}}-ats\.iot\.{account.aws.region}\.plant\.test", host)
    assert account.describe(made_up)["domainType"] == "AWS_MANAGED"
    assert "unrecognized name" in s_client(At(broker, f"x{host}"), device=account.device)
    account.delete(made_up)
    assert "unrecognized name" in s_client(At(broker, host), device=account.device)


@pytest.mark.parametrize("version", [V311, V5])
@pytest.mark.parametrize("port", ["port", "aws_port"])
def test_a_name_chooses_the_account(account, broker, tmp_path, version, port):
    """One certificate is in two accounts in SNI_ONLY mode: the name decides whose it is."""
    other = Account(broker, tmp_path / "other")
    stranger = Ca(tmp_path / "stranger").sign("both")
    for one in (account, other):
        made = one.iot.register_certificate_without_ca(certificatePem=stranger.certificate.read_text(), status="ACTIVE")
        one.iot.attach_policy(policyName=allow_all(one.aws, "both"), target=made["certificateArn"])
    places = [one.at(one.configure(), getattr(broker, port)) for one in (account, other)]
    with Client(places[0], stranger, version=version) as first, Client(places[1], stranger, version=version) as second:
        first.subscribe("whose/#")
        second.subscribe("whose/#")
        second.publish("whose/a", b"second")
        assert second.message().payload == b"second"
        assert first.silent()
    other.delete(other.made[0])


@pytest.mark.parametrize("policy", POLICIES)
def test_a_security_policy_chooses_the_versions_of_tls(account, policy):
    place = account.at(account.configure(tlsConfig={"securityPolicy": policy}))
    versions = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
    accepted = set()
    for version, number in versions.items():
        seen = s_client(place, f"-tls{version.replace('.', '_')}", device=account.device)
        if f"New, TLSv{version}" in seen:
            accepted.add(version)
        client = Client(place, account.device, version=V5)
        client.paho._ssl_context.minimum_version = client.paho._ssl_context.maximum_version = number
        with contextlib.suppress(Closed), client:
            assert version in POLICIES[policy]
            continue
        assert version not in POLICIES[policy]
    assert accepted == POLICIES[policy]
    if len(accepted) == 1:
        assert policy in why(account.broker, place.host)["entry"]["details"]


def test_a_change_reaches_the_next_connection_and_no_living_one(account, broker):
    name = account.configure()
    place = account.at(name)
    with Client(place, account.device, version=V5) as client:
        for _ in range(3):
            account.update(name, domainConfigurationStatus="DISABLED")
            assert not comes_in(place, account.device)
            account.update(name, domainConfigurationStatus="ENABLED")
            assert comes_in(place, account.device)
        client.subscribe("still/#")
        client.publish("still/there", b"x")
        assert client.message().payload == b"x"
    account.update(name, domainConfigurationStatus="DISABLED")
    assert "unrecognized name" in s_client(place, device=account.device)
    told = why(broker, place.host, "DOMAIN_CONFIGURATION_DISABLED")
    assert name in told["entry"]["details"]
    assert told["entry"]["accountId"] == account.aws.account.account_id
    [remedy] = told["case"]["remedy"]
    assert remedy.startswith("aws iot update-domain-configuration") and name in remedy
    account.aws.iot(*[word.strip("'") for word in remedy.split()[2:] if word not in ("--region", account.aws.region)])
    assert comes_in(place, account.device)


def test_a_ticket_of_another_tls_resumes_nothing(account):
    """What was agreed under one security policy is not gone on with under the next."""
    name = account.configure(tlsConfig={"securityPolicy": "IoTSecurityPolicy_TLS12_1_2_2022_10"})
    place = account.at(name)
    context = ssl.create_default_context(cafile=place.ca_file)
    context.load_cert_chain(account.device.certificate, account.device.key)

    def shake(session=None):
        with socket.create_connection((place.host, place.port), PATIENCE) as plain:
            with context.wrap_socket(plain, server_hostname=place.host, session=session) as tls:
                return tls.session, tls.session_reused, tls.version()

    session, _, _ = shake()
    session, reused, version = shake(session)
    assert (reused, version) == (True, "TLSv1.2")
    account.update(name, tlsConfig={"securityPolicy": "IoTSecurityPolicy_TLS13_1_3_2022_10"})
    _, reused, version = shake(session)
    assert (reused, version) == (False, "TLSv1.3")


def test_mosquitto_comes_in_by_the_name(account):
    place = account.at(account.configure(applicationProtocol="SECURE_MQTT", authenticationType="AWS_X509"))
    topic = f"mosquitto/{uuid.uuid4().hex}"
    with Client(place, account.device, version=V5) as client, Socks() as socks:
        client.subscribe(topic)
        command = mosquitto_command("mosquitto_pub", place, account.device, "--proxy", f"socks5h://127.0.0.1:{socks.port}", "-q", "1", "-t", topic, "-m", "hello")
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert client.message().payload == b"hello"


def ways(place, device, account):
    """By which of the three ways a device comes in."""
    web = Client(place, device, version=V5, transport="websockets")
    web.paho.ws_set_options(path="/mqtt")
    came = set()
    with contextlib.suppress(Closed), web:
        came.add("MQTT_WSS")
    with contextlib.suppress(Closed), Client(place, device, version=V5):
        came.add("SECURE_MQTT")
    if curl(place, device) == "200":
        came.add("HTTPS")
    return came


@pytest.mark.parametrize("protocol", ["DEFAULT", "SECURE_MQTT", "MQTT_WSS", "HTTPS"])
def test_an_application_protocol_is_the_only_one(account, protocol):
    place = account.at(account.configure(applicationProtocol=protocol))
    expected = {"SECURE_MQTT", "MQTT_WSS", "HTTPS"} if protocol == "DEFAULT" else {protocol}
    assert ways(place, account.device, account) == expected
    if protocol != "DEFAULT":
        assert protocol in why(account.broker, place.host)["entry"]["details"]


def test_what_the_listener_does_not_speak_lets_nobody_in(account, broker):
    """The listener with AWS's manners speaks neither WebSocket nor HTTPS."""
    place = account.at(account.configure(applicationProtocol="HTTPS"), broker.aws_port)
    assert "access denied" in s_client(place, device=account.device)
    assert why(broker, place.host)["entry"]["reason"] == "DOMAIN_CONFIGURATION_INVALID"
