"""Domain configurations: several server names for an account, from creation to the end."""

import json
import re
import socket
import ssl

import pytest

from support.aws import AwsError, activate
from support.broker import PATIENCE, Broker
from support.domains import Account, At, account, broker, comes_in, here, refusal, s_client, verified, why  # noqa: F401, F811: fixtures among them
from support.iam import make_user
from support.mqtt import Client, Closed


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


def test_many_strange_names_cost_nothing(account, broker):
    """Names that are nobody's, long or odd, are refused one like the other, and the next device comes in."""
    place = account.at(account.configure())
    odd = ["a" * 63 + ".example", ".".join(["a" * 60] * 4), "x" + place.host, place.host.upper() + "x.example", "xn--nxasmq6b.example"]
    for name in odd * 10:
        context = ssl.create_default_context(cafile=broker.ca_file)
        with socket.create_connection(("127.0.0.1", broker.port), PATIENCE) as plain, pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain, server_hostname=name)
    assert comes_in(At(broker, place.host.upper()), account.device)
