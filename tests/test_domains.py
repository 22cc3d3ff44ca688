"""Domain configurations: several server names for an account, each with its certificate, its TLS and its manners."""

import contextlib
import json
import re
import socket
import ssl
import subprocess
import uuid

import pytest

from support.aws import Aws, AwsError, activate, allow_all, device_of, register_ca
from support.broker import PATIENCE, Broker, wait_for
from support.functions import PROCESS, lambda_arn
from support.iam import make_user
from support.mqtt import V5, V311, Client, Closed, mosquitto_command
from support.pki import Ca
from support.signing import presigned_path
from support.socks import Socks

CONFIG = f"""
{PROCESS}
[mqtt]
websocket = true
https = true
endpoint_domain = "plant.test"
[[mqtt.listener]]
name = "aws"
address = "127.0.0.1"
port = 0
profile = "aws"
"""
POLICIES = {
    "IoTSecurityPolicy_TLS13_1_3_2022_10": {"1.3"},
    "IoTSecurityPolicy_TLS13_1_2_2022_10": {"1.2", "1.3"},
    "IoTSecurityPolicy_TLS12_1_2_2022_10": {"1.2"},
    "IoTSecurityPolicy_TLS12_1_0_2016_01": {"1.2"},
    "IoTSecurityPolicy_TLS12_1_0_2015_01": {"1.2"},
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with Broker(tmp_path_factory.mktemp("domains") / "data", CONFIG) as running:
        yield running
        assert running.process.poll() is None, "the broker ended"
        assert "panicked" not in running.log.read_text(errors="replace")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Names below .test and .example are this machine."""
    ask = socket.getaddrinfo

    def answer(host, *arguments, **options):
        ours = isinstance(host, str) and host.lower().endswith((".test", ".example"))
        return ask("127.0.0.1" if ours else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)


class Account:
    """An account with a device that may do everything, and its domain configurations."""

    def __init__(self, broker, directory):
        self.broker = broker
        self.aws = Aws(broker, broker.create_account())
        self.iot = self.aws.boto3()
        self.ca = Ca(directory, f"Domains CA {uuid.uuid4().hex}")
        register_ca(self.aws, self.ca)
        self.device = device_of(self.aws, self.ca)
        self.made = []

    def configure(self, **options):
        """A new configuration, by a domain name of its own unless `domainName=None` says otherwise; its name."""
        name = f"d-{uuid.uuid4().hex[:10]}"
        options = {"domainName": f"{name}.example"} | options
        options = {key: value for key, value in options.items() if value is not None}
        self.iot.create_domain_configuration(domainConfigurationName=name, **options)
        self.made.append(name)
        return name

    def describe(self, name):
        return self.iot.describe_domain_configuration(domainConfigurationName=name)

    def update(self, name, **options):
        return self.iot.update_domain_configuration(domainConfigurationName=name, **options)

    def at(self, name, port=None):
        """The broker under the domain name of a configuration."""
        return At(self.broker, self.describe(name)["domainName"], port)

    def delete(self, name):
        self.update(name, domainConfigurationStatus="DISABLED")
        self.iot.delete_domain_configuration(domainConfigurationName=name)


class At:
    """The broker under another name."""

    def __init__(self, broker, host, port=None):
        self.broker, self.host, self.port, self.ca_file = broker, host, port or broker.port, broker.ca_file


@pytest.fixture
def account(broker, tmp_path):
    made = Account(broker, tmp_path / "pki")
    yield made
    for name in made.made:
        with contextlib.suppress(made.iot.exceptions.ResourceNotFoundException):
            made.delete(name)


def comes_in(place, device, **options):
    """Whether a client connects, publishes and hears itself there."""
    try:
        with Client(place, device, version=V5, **options) as client:
            client.subscribe("domains/#")
            client.publish("domains/a", b"x")
            return client.message().payload == b"x"
    except Closed:
        return False


def why(broker, whom, reason=None):
    """The newest refusal, once it is known: with this reason, if one is named."""

    def told():
        found = json.loads(broker.run("why", whom, "--limit", "1", "--json", check=False).stdout or "[]")
        return [one for one in found if reason in (None, one["entry"]["reason"])]

    return wait_for(told, f"a refusal of {whom}, {reason}")[0]


def s_client(place, *more, device=None):
    """What `openssl s_client` says of a handshake under this name."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{place.port}", "-servername", place.host, "-CAfile", place.ca_file]
    command += ["-verify_hostname", place.host, *more]
    if device:
        command += ["-cert", str(device.certificate), "-key", str(device.key)]
    done = subprocess.run(command, input="", capture_output=True, text=True, timeout=PATIENCE)
    return done.stdout + done.stderr


def verified(place, *more, device=None):
    """Whether the server showed a certificate for the name that can be believed. (openssl is content with none at all.)"""
    seen = s_client(place, *more, device=device)
    return "Verify return code: 0 (ok)" in seen and "no peer certificate" not in seen


def curl(place, device=None, *more):
    """The status of a message that curl publishes under this name."""
    command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--cacert", place.ca_file]
    command += ["--resolve", f"{place.host}:{place.port}:127.0.0.1", "--data", "hello", *more]
    if device:
        command += ["--cert", str(device.certificate), "--key", str(device.key)]
    command.append(f"https://{place.host}:{place.port}/topics/own/curl/a?qos=1")
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout


def refusal(call, *arguments, **options):
    with pytest.raises(Exception) as caught:
        call(*arguments, **options)
    return caught.value.response["Error"]["Code"]


# The calls


def test_a_configuration_from_creation_to_the_end_by_the_cli(account, broker):
    aws = account.aws
    made = aws.iot("create-domain-configuration", "--domain-configuration-name", "walk", "--domain-name", "Walk.plant.example", "--tags", "Key=a,Value=b")
    assert re.fullmatch(rf"arn:aws:iot:{aws.region}:{aws.account.account_id}:domainconfiguration/walk/[a-z0-9]{{5}}", made["domainConfigurationArn"])
    told = aws.iot("describe-domain-configuration", "--domain-configuration-name", "walk")
    assert told["domainName"] == "walk.plant.example" and told["domainConfigurationArn"] == made["domainConfigurationArn"]
    assert (told["domainType"], told["serviceType"], told["domainConfigurationStatus"]) == ("CUSTOMER_MANAGED", "DATA", "ENABLED")
    assert told["tlsConfig"] == {"securityPolicy": "IoTSecurityPolicy_TLS13_1_2_2022_10"}
    assert (told["authenticationType"], told["applicationProtocol"]) == ("DEFAULT", "DEFAULT")
    assert aws.iot("list-tags-for-resource", "--resource-arn", made["domainConfigurationArn"])["tags"] == [{"Key": "a", "Value": "b"}]
    listed = [one["domainConfigurationName"] for one in aws.iot("list-domain-configurations")["domainConfigurations"]]
    assert listed == ["iot:Data-ATS", "walk"]

    place = At(broker, "walk.plant.example")
    assert comes_in(place, account.device)
    with pytest.raises(AwsError) as caught:
        aws.iot("delete-domain-configuration", "--domain-configuration-name", "walk")
    assert caught.value.code == "InvalidRequestException"
    aws.iot("update-domain-configuration", "--domain-configuration-name", "walk", "--domain-configuration-status", "DISABLED")
    assert not comes_in(place, account.device)
    aws.iot("delete-domain-configuration", "--domain-configuration-name", "walk")
    with pytest.raises(AwsError) as caught:
        aws.iot("describe-domain-configuration", "--domain-configuration-name", "walk")
    assert caught.value.code == "ResourceNotFoundException"
    assert not comes_in(place, account.device)
    why(broker, place.host, "SNI_MISUSED")


def test_a_name_is_in_one_account_and_there_are_ten(account, broker, tmp_path):
    first = account.configure()
    domain = account.describe(first)["domainName"]
    make = account.iot.create_domain_configuration
    assert refusal(make, domainConfigurationName=first, domainName="other.example") == "ResourceAlreadyExistsException"
    assert refusal(make, domainConfigurationName="x", domainName=domain.upper()) == "ResourceAlreadyExistsException"
    other = Account(broker, tmp_path / "other")
    assert refusal(other.iot.create_domain_configuration, domainConfigurationName="x", domainName=domain) == "InvalidRequestException"
    assert refusal(other.iot.describe_domain_configuration, domainConfigurationName=first) == "ResourceNotFoundException"
    assert [one["domainConfigurationName"] for one in other.iot.list_domain_configurations()["domainConfigurations"]] == ["iot:Data-ATS"]

    for _ in range(9):
        account.configure()
    assert refusal(make, domainConfigurationName="x", domainName="eleventh.example") == "LimitExceededException"
    pages = list(account.iot.get_paginator("list_domain_configurations").paginate(PaginationConfig={"PageSize": 4}))
    assert [len(page["domainConfigurations"]) for page in pages] == [4, 4, 3]
    account.delete(first)
    other.iot.create_domain_configuration(domainConfigurationName="x", domainName=domain)
    assert comes_in(At(broker, domain), other.device) and not comes_in(At(broker, domain), account.device)
    other.delete("x")


@pytest.mark.parametrize(
    "options, code",
    [
        ({"domainName": "localhost"}, "InvalidRequestException"),
        ({"domainName": "*.wild.example"}, "InvalidRequestException"),
        ({"domainName": "a b.example"}, "InvalidRequestException"),
        ({"domainName": "127.0.0.1"}, "InvalidRequestException"),
        ({"domainName": "x-ats.iot.eu-central-1.plant.test"}, "InvalidRequestException"),
        ({"tlsConfig": {"securityPolicy": "IoTSecurityPolicy_TLS10"}}, "InvalidRequestException"),
        ({"serviceType": "JOBS"}, "InvalidRequestException"),
        ({"serverCertificateConfig": {"enableOCSPCheck": True}}, "InvalidRequestException"),
        ({"clientCertificateConfig": {"clientCertificateCallbackArn": "f"}}, "InvalidRequestException"),
        ({"authenticationType": "AWS_SIGV4", "applicationProtocol": "SECURE_MQTT"}, "InvalidRequestException"),
        ({"authorizerConfig": {"defaultAuthorizerName": "nobody"}}, "InvalidRequestException"),
        ({"domainName": "x.example", "serverCertificateArns": ["arn:aws:acm:us-east-1:000000000000:certificate/a"]}, "InvalidRequestException"),
        ({"domainName": "x.example", "serverCertificateArns": ["OWN"]}, "CertificateValidationException"),
        ({"serverCertificateArns": ["OWN"]}, "InvalidRequestException"),
        ({"domainName": "x.example", "validationCertificateArn": "OWN"}, "CertificateValidationException"),
    ],
    ids=str,
)
def test_what_cannot_be_served_is_refused(account, options, code):
    own = f"arn:aws:acm:{account.aws.region}:{account.aws.account.account_id}:certificate/none"
    options = json.loads(json.dumps(options).replace("OWN", own))
    assert refusal(account.iot.create_domain_configuration, domainConfigurationName="x", **options) == code


def test_policies_decide_by_name(account, broker):
    """A user who may touch one configuration, by its ARN with and without the last part, touches no other."""
    mine, other = account.configure(), account.configure()
    arn = account.describe(mine)["domainConfigurationArn"]
    for number, resource in enumerate([arn, arn.rsplit("/", 1)[0] + "/*"]):
        statement = {"Effect": "Allow", "Action": "iot:DescribeDomainConfiguration", "Resource": resource}
        user = make_user(account.aws, f"u{number}", statement).boto3()
        assert user.describe_domain_configuration(domainConfigurationName=mine)["domainConfigurationName"] == mine
        assert refusal(user.describe_domain_configuration, domainConfigurationName=other) == "AccessDeniedException"


# The gateway


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


# Application protocols


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


# Authentication types


@pytest.fixture
def authorizer(account):
    def make(name):
        arn = lambda_arn(account.aws, "process")
        account.iot.create_authorizer(authorizerName=name, authorizerFunctionArn=arn, signingDisabled=True, status="ACTIVE")
        return name

    return make


def person(place, user_name="anybody", client_id=None, device=None):
    """A client with a user name, and without a certificate unless `device` is one."""
    client = Client(place, device, client_id, V5)
    client.paho.username_pw_set(user_name, "right")
    return client


def test_aws_x509_takes_certificates_alone(account, broker, authorizer):
    account.iot.set_default_authorizer(authorizerName=authorizer("default"))
    place = account.at(account.configure(authenticationType="AWS_X509"))
    assert comes_in(place, account.device)
    client = person(place)
    client.paho._ssl_context.set_alpn_protocols(["mqtt"])
    with pytest.raises(Closed):
        client.connect()
    assert why(broker, place.host)["entry"]["reason"] == "NOT_AUTHENTICATED"
    assert curl(place) == "000" and curl(place, account.device) == "200"


def test_custom_auth_asks_the_authorizer_of_the_domain(account, broker, authorizer):
    authorizer("mine"), authorizer("other")
    config = {"defaultAuthorizerName": "mine", "allowAuthorizerOverride": False}
    name = account.configure(authenticationType="CUSTOM_AUTH", authorizerConfig=config)
    place = account.at(name)
    with person(place) as client:
        topic = f"own/{client.client_id}/a"
        client.subscribe(topic)
        client.publish(topic, b"x")
        assert client.message().payload == b"x"
    named = "anybody?x-amz-customauthorizer-name=other"
    refused = person(place, named)
    with pytest.raises(Closed):
        refused.connect()
    assert why(broker, refused.client_id)["entry"]["reason"] == "CUSTOM_AUTHORIZER_NOT_FOUND"
    account.update(name, authorizerConfig=config | {"allowAuthorizerOverride": True})
    with person(place, named):
        pass
    denied = person(place, "deny")
    with pytest.raises(Closed):
        denied.connect()
    why(broker, denied.client_id, "NOT_AUTHENTICATED")
    account.update(name, removeAuthorizerConfig=True)
    with pytest.raises(Closed):
        person(place).connect()
    for header, reason in (("x-nothing: y", "NOT_AUTHENTICATED"), ("x-amz-customauthorizer-name: mine", "AUTHORIZATION_FAILURE")):
        assert curl(place, None, "--header", header) == "403"
        why(broker, place.host, reason)


def test_custom_auth_with_a_certificate_needs_both(account, broker, authorizer):
    authorizer("mine")
    config = {"defaultAuthorizerName": "mine"}
    place = account.at(account.configure(authenticationType="CUSTOM_AUTH_X509", authorizerConfig=config))
    with pytest.raises(Closed):
        person(place).connect()
    denied = person(place, "deny", device=account.device)
    with pytest.raises(Closed):
        denied.connect()
    told = why(broker, denied.client_id)["entry"]
    assert (told["reason"], told["authenticationType"]) == ("NOT_AUTHENTICATED", "CUSTOM_AUTH_X509")
    with person(place, device=account.device) as client:
        topic = f"own/{client.client_id}/a"
        assert client.subscribe("domains/#")[0].is_failure, "the function's policies decide, not the certificate's"
        client.subscribe(topic)
        client.publish(topic, b"x")
        assert client.message().payload == b"x"
        account.iot.update_certificate(certificateId=account.device.certificate_id, newStatus="INACTIVE")
        client.wait_closed()
    with pytest.raises(Closed):
        person(place, device=account.device).connect()
    account.iot.update_certificate(certificateId=account.device.certificate_id, newStatus="ACTIVE")


def test_a_function_is_told_of_the_certificate(account, tmp_path):
    """Through a broker of its own, whose function writes down what it is asked."""
    asked = tmp_path / "asked.json"
    program = f"import json,sys; open({str(asked)!r}, 'w').write(sys.stdin.read()); print(json.dumps({{'isAuthenticated': False}}))"
    config = f'[[function]]\nname = "process"\ncommand = ["python3", "-c", {json.dumps(program)}]\n'
    with Broker(tmp_path / "own" / "data", config) as broker:
        own = Account(broker, tmp_path / "own-pki")
        arn = lambda_arn(own.aws, "process")
        own.iot.create_authorizer(authorizerName="a", authorizerFunctionArn=arn, signingDisabled=True, status="ACTIVE")
        name = own.configure(authenticationType="CUSTOM_AUTH_X509", authorizerConfig={"defaultAuthorizerName": "a"})
        with pytest.raises(Closed):
            person(own.at(name), device=own.device).connect()
    told = json.loads(asked.read_text())["protocolData"]["tls"]
    assert told["principalId"] == own.device.certificate_id and told["serverName"] == f"{name}.example"
    assert ssl.PEM_cert_to_DER_cert(told["x509CertificatePem"]) == ssl.PEM_cert_to_DER_cert(own.device.certificate.read_text())


def test_aws_sigv4_takes_signed_requests_alone(account, broker):
    name = account.configure(authenticationType="AWS_SIGV4", applicationProtocol="MQTT_WSS")
    place = account.at(name)

    def web(path):
        client = Client(place, None, version=V5, transport="websockets")
        client.paho.ws_set_options(path=path)
        return client

    with web(presigned_path(account.aws, f"{place.host}:{place.port}")) as client:
        client.subscribe("signed/#")
        client.publish("signed/a", b"x")
        assert client.message().payload == b"x"
    with pytest.raises(Closed):
        web("/mqtt").connect()
    assert "Signature Version 4" in why(broker, place.host)["entry"]["details"]
    stranger = Aws(broker, broker.create_account())
    with pytest.raises(Closed):
        web(presigned_path(stranger, f"{place.host}:{place.port}")).connect()
    account.update(name, applicationProtocol="DEFAULT")
    plain = Client(place, account.device, version=V5)
    with pytest.raises(Closed):
        plain.connect()
    assert "AWS_SIGV4" in why(broker, plain.client_id)["entry"]["details"]
    assert curl(place, account.device) == "403"


# The account's endpoint, and what happens later


def test_the_endpoint_is_a_configuration_too(account, broker):
    endpoint = account.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"]
    told = account.describe("iot:Data-ATS")
    assert (told["domainName"], told["domainType"], told["domainConfigurationStatus"]) == (endpoint, "ENDPOINT", "ENABLED")
    assert told["domainConfigurationArn"].endswith(":domainconfiguration/iot:Data-ATS")
    place = At(broker, endpoint)
    assert comes_in(place, account.device)
    account.update("iot:Data-ATS", tlsConfig={"securityPolicy": "IoTSecurityPolicy_TLS13_1_3_2022_10"})
    assert "New, TLSv1.3" in s_client(place, device=account.device)
    assert "New, TLSv1.2" not in s_client(place, "-tls1_2", device=account.device)
    account.update("iot:Data-ATS", authenticationType="CUSTOM_AUTH")
    assert not comes_in(place, account.device)
    account.update("iot:Data-ATS", authenticationType="DEFAULT", tlsConfig={"securityPolicy": "IoTSecurityPolicy_TLS13_1_2_2022_10"})
    assert comes_in(place, account.device)
    assert refusal(account.update, "iot:Data-ATS", domainConfigurationStatus="DISABLED") == "InvalidRequestException"
    assert refusal(account.iot.describe_domain_configuration, domainConfigurationName="iot:Jobs") == "ResourceNotFoundException"


def test_just_in_time_registration_under_a_name(account, broker):
    place = account.at(account.configure(authenticationType="AWS_X509"), broker.aws_port)
    device = account.ca.sign("new")
    with pytest.raises(Closed):
        Client(place, device).connect()
    activate(account.aws, device.certificate_id, "everything")
    with Client(place, device):
        pass


def test_names_without_an_endpoint_domain_and_after_a_restart(tmp_path):
    with Broker(tmp_path / "data") as broker:
        own = Account(broker, tmp_path / "pki")
        name, other = own.configure(domainName=None), own.configure()
        place, second = own.at(name), own.at(other)
        assert place.host.endswith(f"-ats.iot.{own.aws.region}.localhost")
        assert verified(place, device=own.device)
        assert comes_in(second, own.device)
        assert own.describe("iot:Data-ATS")["domainName"] == broker.host
        assert refusal(own.update, "iot:Data-ATS", authenticationType="AWS_X509") == "InvalidRequestException"
        assert broker.stop() == 0
        broker.start()
        place.port = second.port = broker.port
        assert comes_in(second, own.device)
        assert verified(place, device=own.device)


def server_certificate(directory, ca, *names):
    """A chain and a key for these names, in files."""
    made = ca.sign(names[0], extensions="subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
    (directory / "chain.pem").write_text(made.certificate.read_text() + ca.certificate.read_text())
    (directory / "server.key").write_text(made.key.read_text())


def test_a_certificate_of_ones_own_is_named_by_its_arn(tmp_path):
    ca = Ca(tmp_path / "public", "Public CA")
    server_certificate(tmp_path, ca, "own.example", "*.wild.example")
    config = '[[certificate]]\nname = "mine"\nchain_file = "chain.pem"\nkey_file = "server.key"\n'
    with Broker(tmp_path / "data", config) as broker:
        aws = Aws(broker)
        iot, arn = aws.boto3(), f"arn:aws:acm:{aws.region}:{aws.account.account_id}:certificate/mine"
        make = iot.create_domain_configuration
        for name, domain in (("one", "own.example"), ("two", "a.wild.example")):
            make(domainConfigurationName=name, domainName=domain, serverCertificateArns=[arn])
            told = iot.describe_domain_configuration(domainConfigurationName=name)["serverCertificates"]
            assert told == [{"serverCertificateArn": arn, "serverCertificateStatus": "VALID"}]
        assert refusal(make, domainConfigurationName="x", domainName="other.example", serverCertificateArns=[arn]) == "CertificateValidationException"
        assert refusal(make, domainConfigurationName="x", domainName="a.b.wild.example", serverCertificateArns=[arn]) == "CertificateValidationException"
        stranger = Aws(broker, broker.create_account()).boto3()
        refused = stranger.create_domain_configuration
        assert refusal(refused, domainConfigurationName="x", domainName="b.wild.example", serverCertificateArns=[arn]) == "InvalidRequestException"

        def seen(domain):
            place = At(broker, domain)
            place.ca_file = ca.certificate
            assert verified(place)
            return s_client(place, "-showcerts")

        assert seen("a.wild.example")
        before = seen("own.example")
        server_certificate(tmp_path, ca, "own.example", "*.wild.example")
        broker.stop()
        broker.start()
        after = seen("own.example")
        leaf = "-----BEGIN CERTIFICATE-----[^-]*"
        assert re.search(leaf, before)[0] != re.search(leaf, after)[0], "the renewed certificate is shown"
        assert aws.boto3().describe_domain_configuration(domainConfigurationName="one")["serverCertificates"][0]["serverCertificateStatus"] == "VALID"


def test_a_certificate_that_cannot_be_served_stops_the_start(tmp_path):
    ca = Ca(tmp_path / "public", "Public CA")
    server_certificate(tmp_path, ca, "own.example")
    config = '[[certificate]]\nname = "mine"\nchain_file = "chain.pem"\nkey_file = "KEY"\n'
    Ca(tmp_path / "other", "other")
    for key, words in (("absent.key", "cannot read key_file"), ("chain.pem", "key_file"), ("other/ca.key", "does not belong")):
        broker = Broker(tmp_path / "data", config.replace("KEY", key)).launch()
        assert broker.process.wait(PATIENCE) != 0
        assert words in broker.log.read_text(), key


def test_many_strange_names_cost_nothing(account, broker):
    """Names that are nobody's, long or odd, are refused one like the other, and the next device comes in."""
    place = account.at(account.configure())
    odd = ["a" * 63 + ".example", ".".join(["a" * 60] * 4), "x" + place.host, place.host.upper() + "x.example", "xn--nxasmq6b.example"]
    for name in odd * 10:
        context = ssl.create_default_context(cafile=broker.ca_file)
        with socket.create_connection(("127.0.0.1", broker.port), PATIENCE) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain, server_hostname=name)
    assert comes_in(At(broker, place.host.upper()), account.device)
