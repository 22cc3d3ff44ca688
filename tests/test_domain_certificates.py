"""Server certificates of ones own, which domain configurations name by their ARN."""

import re

from support.aws import Aws
from support.broker import PATIENCE, Broker
from support.domains import At, refusal, s_client, verified
from support.pki import Ca


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
