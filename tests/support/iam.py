"""IAM users, and what may be done with their keys."""

import contextlib
import json

from botocore.exceptions import ClientError

from support.aws import Aws
from support.broker import Account

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements):
    """A policy document of these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def make_user(aws, name, *statements):
    """A user of the account with one policy of its own, and a key: an `Aws` that acts as it."""
    iam = aws.boto3("iam")
    iam.create_user(UserName=name)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return with_key(aws, iam.create_access_key(UserName=name)["AccessKey"])


def with_key(aws, key):
    """An `Aws` with an access key as IAM or STS answers it."""
    return Aws(aws.broker, Account(aws.account.account_id, key["AccessKeyId"], key["SecretAccessKey"]), aws.cli, aws.region, key.get("SessionToken"))


@contextlib.contextmanager
def refused(code, *words):
    """Within it, one call is refused with this code, and a sentence that has these words."""
    try:
        yield
    except ClientError as error:
        found = error.response["Error"]
        assert found["Code"] == code, error
        for word in words:
            assert word in found["Message"], error
    else:
        raise AssertionError(f"it was not refused with {code}")
