"""`aws iot transfer-certificate` with every way that the CLI has to ask, to authenticate and to print: both generations."""

import json
import subprocess

import pytest

from support.aws import CLI_V1, CLI_V2
from support.broker import PATIENCE

CLIS = [pytest.param(CLI_V1, id="v1"), pytest.param(CLI_V2, id="v2")]
KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class Mover:
    """An account with a certificate that it offers again and again to another, by a CLI of its own process."""

    def __init__(self, broker, aws, device, cli):
        self.aws, self.cli, self.broker = aws, cli, broker
        self.target = broker.create_account().account_id
        self.boto = aws.boto3()
        pem = device.certificate.read_text()
        self.certificate_id = self.boto.register_certificate_without_ca(certificatePem=pem)["certificateId"]
        self.arn = f"arn:aws:iot:{aws.region}:{self.target}:cert/{self.certificate_id}"

    @property
    def request(self):
        return ["--certificate-id", self.certificate_id, "--target-aws-account", self.target]

    def run(self, operation, *arguments, endpoint=True, **environment):
        """The finished `aws iot OPERATION …`; a variable that is None is not set."""
        endpoint_url = ["--endpoint-url", self.broker.env["AWS_ENDPOINT_URL"]] if endpoint else []
        merged = self.aws.environment | environment
        return subprocess.run(
            [self.cli, "iot", operation, *arguments, *endpoint_url],
            env={name: str(value) for name, value in merged.items() if value is not None},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )

    def transfer(self, *options, **environment):
        return self.run("transfer-certificate", *self.request, *options, **environment)

    def takes_back(self):
        """Whether there was an offer; there is none any more. What it said."""
        offers = self.boto.list_outgoing_certificates()["outgoingCertificates"]
        for offer in offers:
            self.boto.cancel_certificate_transfer(certificateId=offer["certificateId"])
        return [offer.get("transferMessage") for offer in offers]


@pytest.fixture(params=CLIS)
def mover(broker, aws, ca, request):
    return Mover(broker, aws, ca.sign("mover"), request.param)


def test_every_way_to_ask(mover, tmp_path):
    document = {"certificateId": mover.certificate_id, "targetAwsAccount": mover.target, "transferMessage": "said"}
    written = tmp_path / "request.json"
    written.write_text(json.dumps(document))
    ways = [
        [*mover.request, "--transfer-message", "said"],
        ["--cli-input-json", json.dumps(document)],
        ["--cli-input-json", f"file://{written}"],
        # What is on the command line counts more than the document.
        ["--cli-input-json", json.dumps(document | {"transferMessage": "other"}), "--transfer-message", "said"],
    ]
    if mover.cli == CLI_V2:
        ways.append(["--cli-input-yaml", "\n".join(f"{name}: '{value}'" for name, value in document.items())])
    for way in ways:
        done = mover.run("transfer-certificate", *way)
        assert json.loads(done.stdout) == {"transferredCertificateArn": mover.arn}, (way, done.stderr)
        assert mover.takes_back() == ["said"], way
    for generated, members in (("input", set(document)), ("output", {"transferredCertificateArn"})):
        done = mover.transfer("--generate-cli-skeleton", generated)
        assert set(json.loads(done.stdout)) == members, done.stderr
    assert mover.takes_back() == []


def test_every_way_to_print(mover):
    formats = ["json", "text", "table"] + (["yaml", "yaml-stream"] if mover.cli == CLI_V2 else [])
    for output in formats:
        done = mover.transfer("--output", output)
        assert done.returncode == 0 and mover.arn in done.stdout, (output, done.stdout, done.stderr)
        mover.takes_back()
    done = mover.transfer("--query", "transferredCertificateArn", "--output", "text")
    assert done.stdout == mover.arn + "\n", done.stderr
    done = mover.run("list-outgoing-certificates", "--no-paginate", "--query", "outgoingCertificates[].certificateId")
    assert json.loads(done.stdout) == [mover.certificate_id], done.stderr
    mover.takes_back()
    done = mover.transfer("--debug")
    assert done.returncode == 0 and "x-amzn-requestid" in done.stderr.lower(), done.stderr[-2000:]


def test_every_way_to_be_somebody_somewhere(mover, tmp_path):
    key = mover.aws.account
    credentials, config = tmp_path / "credentials", tmp_path / "config"
    credentials.write_text(
        f"[mine]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    )
    config.write_text(f"[profile mine]\nregion = {mover.aws.region}\noutput = text\n")
    nobody = dict.fromkeys((*KEYS, "AWS_DEFAULT_REGION", "AWS_DEFAULT_OUTPUT"))
    files = {"AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config}
    done = mover.transfer("--profile", "mine", **nobody, **files)
    assert done.stdout.strip() == mover.arn, done.stderr
    assert mover.takes_back() == [None]

    done = mover.transfer("--no-sign-request", **dict.fromkeys(KEYS))
    assert done.returncode and "(MissingAuthenticationTokenException)" in done.stderr, done.stderr
    # The region is that of the signature: there is no such certificate in another.
    elsewhere = "eu-west-3" if mover.aws.region != "eu-west-3" else "us-east-2"
    done = mover.transfer("--region", elsewhere)
    assert done.returncode and "(ResourceNotFoundException)" in done.stderr, done.stderr
    made = mover.run("create-keys-and-certificate", "--region", elsewhere)
    moved = ["--certificate-id", json.loads(made.stdout)["certificateId"], "--target-aws-account", mover.target]
    done = mover.run("transfer-certificate", *moved, "--region", elsewhere)
    assert json.loads(done.stdout)["transferredCertificateArn"].startswith(f"arn:aws:iot:{elsewhere}:{mover.target}:cert/")
    assert mover.takes_back() == []


def test_every_way_to_trust(mover):
    bundle = mover.aws.environment["AWS_CA_BUNDLE"]
    done = mover.transfer("--ca-bundle", bundle, AWS_CA_BUNDLE=None)
    assert json.loads(done.stdout) == {"transferredCertificateArn": mover.arn}, done.stderr
    mover.takes_back()
    done = mover.transfer("--no-verify-ssl", AWS_CA_BUNDLE=None)
    assert json.loads(done.stdout) == {"transferredCertificateArn": mover.arn}, done.stderr
    mover.takes_back()
    done = mover.transfer(AWS_CA_BUNDLE=None)
    assert done.returncode and "SSL validation failed" in done.stderr, done.stderr
    assert mover.takes_back() == []


def test_the_endpoint_comes_from_the_environment_where_the_cli_knows_that(broker, aws, ca):
    mover = Mover(broker, aws, ca.sign("mover"), CLI_V1)
    done = mover.run("transfer-certificate", *mover.request, endpoint=False)
    assert json.loads(done.stdout) == {"transferredCertificateArn": mover.arn}, done.stderr
