"""Functions behind custom authorizers: a program, and what a broker's configuration says of it."""

import base64
import json
import sys
import tempfile
from pathlib import Path

from support.pki import openssl

PROGRAM = Path(__file__).with_name("authorizer_function.py")
#: A function by the name of `process`, of every account.
PROCESS = f'[[function]]\nname = "process"\ncommand = {json.dumps([sys.executable, str(PROGRAM)])}\n'


def lambda_arn(aws, name):
    """The ARN of a Lambda function of the account."""
    return f"arn:aws:lambda:{aws.region}:{aws.account.account_id}:function:{name}"


def answer(*statements, principal="p1", disconnect=86400, refresh=86400, **more):
    """What a function answers for a client that may do this."""
    documents = [json.dumps({"Version": "2012-10-17", "Statement": list(statements)})]
    return {
        "isAuthenticated": True, "principalId": principal, "policyDocuments": documents,
        "disconnectAfterInSeconds": disconnect, "refreshAfterInSeconds": refresh,
    } | more  # fmt: skip


ALLOW = {"Effect": "Allow", "Action": "iot:*", "Resource": "*"}


class SigningKey:
    """An RSA key that signs tokens."""

    def __init__(self, directory, bits=2048):
        directory.mkdir(parents=True, exist_ok=True)
        self.key, public = directory / "token.key", directory / "token.pub"
        openssl("genrsa", "-out", self.key, bits)
        openssl("rsa", "-in", self.key, "-pubout", "-out", public)
        self.public = public.read_text()

    def sign(self, token):
        """The signature in Base64."""
        with tempfile.NamedTemporaryFile("w") as message:
            message.write(token)
            message.flush()
            signature = self.key.with_suffix(".sig")
            openssl("dgst", "-sha256", "-sign", self.key, "-out", signature, message.name)
        return base64.b64encode(signature.read_bytes()).decode()
