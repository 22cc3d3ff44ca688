"""The unmodified `aws` CLI, and boto3."""

import contextlib
import functools
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from unittest import mock

import boto3
import botocore.session
from awscli.clidriver import create_clidriver

from support.broker import PATIENCE, clean_environment

CLI_V1 = str(Path(sys.executable).with_name("aws"))
CLI_V2 = "/usr/bin/aws"

# The models of the services are read once, not once for each command: that was most of its time.
botocore.session.create_loader = functools.cache(botocore.session.create_loader)


class AwsError(Exception):
    """What the CLI says when the service refuses."""

    def __init__(self, text):
        super().__init__(text)
        found = re.search(r"An error occurred \((\w+)\) when calling the \w+ operation(?: \([^)]*\))?: (.*)", text, re.S)
        self.code, self.message = (found[1], found[2].strip()) if found else ("", text)


class Aws:
    """`aws …` as one account of one broker.

    Without `cli` it is pip's v1 within this process: the same program, without half a second of start-up each time.
    """

    def __init__(self, broker, account=None, cli=None, region=None, session_token=None):
        self.broker, self.cli, self.session_token = broker, cli, session_token
        self.account = account or broker.first_account
        self.region = region or broker.env["AWS_DEFAULT_REGION"]

    @property
    def environment(self):
        return clean_environment() | {
            "AWS_ENDPOINT_URL": self.broker.env["AWS_ENDPOINT_URL"],
            "AWS_CA_BUNDLE": self.broker.env["AWS_CA_BUNDLE"],
            "AWS_ACCESS_KEY_ID": self.account.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.account.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_DEFAULT_OUTPUT": "json",
            "HOME": "/nonexistent",
        } | ({"AWS_SESSION_TOKEN": self.session_token} if self.session_token else {})

    def __call__(self, service, operation, *arguments):
        # v2 of Debian is too old for AWS_ENDPOINT_URL and needs the option.
        arguments = [service, operation, *map(str, arguments), "--endpoint-url", self.broker.env["AWS_ENDPOINT_URL"]]
        status, out, err = self._run(arguments) if self.cli else self._run_here(arguments)
        if status:
            raise AwsError(err.strip())
        return json.loads(out) if out.strip() else {}

    def _run(self, arguments):
        done = subprocess.run(
            [self.cli, *arguments], env=self.environment, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
        )
        return done.returncode, done.stdout, done.stderr

    def _run_here(self, arguments):
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        data = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}  # set when awscli is imported
        with mock.patch.dict(os.environ, self.environment | data, clear=True):
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = create_clidriver().main(arguments)
        out.flush()
        return status, out.buffer.getvalue().decode(), err.getvalue()

    def iot(self, operation, *arguments):
        """`aws iot OPERATION …`"""
        return self("iot", operation, *arguments)

    def boto3(self, service="iot"):
        """A boto3 client of the same account."""
        return boto3.client(
            service,
            endpoint_url=self.broker.env["AWS_ENDPOINT_URL"],
            verify=self.broker.env["AWS_CA_BUNDLE"],
            aws_access_key_id=self.account.access_key_id,
            aws_secret_access_key=self.account.secret_access_key,
            aws_session_token=self.session_token,
            region_name=self.region,
            config=boto3.session.Config(retries={"max_attempts": 1}),
        )


def register_ca(aws, ca, *options, active=True, auto=True):
    """Registers `ca` as AWS's guide says; its caCertificateId."""
    code = aws.iot("get-registration-code")["registrationCode"]
    chosen = (["--set-as-active"] if active else []) + (["--allow-auto-registration"] if auto else [])
    made = aws.iot(
        "register-ca-certificate",
        "--ca-certificate", f"file://{ca.certificate}",
        "--verification-certificate", f"file://{ca.verification(code)}",
        *chosen, *options,
    )  # fmt: skip
    assert made["certificateId"] == ca.certificate_id
    return made["certificateId"]


def allow_all(aws, name="everything"):
    """A policy that allows everything."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}
    return create_policy(aws, name, document)


def create_policy(aws, name, document):
    """A policy of that name; its name."""
    aws.iot("create-policy", "--policy-name", name, "--policy-document", json.dumps(document))
    return name


def describe(aws, certificate_id):
    """`aws iot describe-certificate`, without its wrapper."""
    return aws.iot("describe-certificate", "--certificate-id", certificate_id)["certificateDescription"]


def activate(aws, certificate_id, *policies):
    """Activates a certificate and attaches policies."""
    aws.iot("update-certificate", "--certificate-id", certificate_id, "--new-status", "ACTIVE")
    arn = describe(aws, certificate_id)["certificateArn"]
    for policy in policies:
        aws.iot("attach-policy", "--policy-name", policy, "--target", arn)
    return arn


def device_of(aws, ca, name="device", **options):
    """A device of the registered CA whose certificate is active and may do everything."""
    made = ca.sign(name, **options)
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    activate(aws, made.certificate_id, allow_all(aws))
    return made
