"""Fixtures: a broker for the session, accounts of their own for tests that need them."""

import uuid

import pytest

from support.aws import Aws
from support.broker import Broker
from support.functions import PROCESS
from support.pki import Ca


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """One broker for all tests that leave it running; it has a second listener with AWS's manners, and a function."""
    config = '[[mqtt.listener]]\nname = "aws"\naddress = "127.0.0.1"\nport = 0\nprofile = "aws"\n' + PROCESS
    with Broker(tmp_path_factory.mktemp("broker") / "data", config) as running:
        yield running


@pytest.fixture
def own_broker(tmp_path):
    """A broker for this test alone: it may be killed, restarted and filled."""
    with Broker(tmp_path / "data") as running:
        yield running


@pytest.fixture
def account(broker):
    """A fresh account, so that tests cannot see each other's things."""
    return broker.create_account()


@pytest.fixture
def aws(broker, account):
    """The `aws` CLI (v1) in the fresh account."""
    return Aws(broker, account)


@pytest.fixture
def ca(tmp_path):
    """A CA that nobody has registered yet, with a name that no other test has."""
    return Ca(tmp_path / "pki", f"Test CA {uuid.uuid4().hex}")
