"""What a name decides of authentication: certificates, custom authorizers, signatures."""

import json
import ssl

import pytest

from support.aws import Aws
from support.broker import Broker
from support.domains import Account, account, broker, comes_in, curl, here, why  # noqa: F401, F811: fixtures among them
from support.functions import lambda_arn
from support.mqtt import V5, Client, Closed
from support.signing import presigned_path


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
