"""Custom authorizers with functions of the test's own behind them: fixtures that a file of tests imports, and clients without a certificate."""

import contextlib
import json
import urllib.parse
import uuid

import pytest

from .aws import Aws
from .broker import Broker, wait_for
from .functions import ALLOW, PROCESS, SigningKey, answer, lambda_arn
from .mqtt import V5, Client, Closed
from .webhook import Webhook

SECRET = b"a secret of thirty-two bytes, yes"
LIMIT = 5  # seconds that a function may take


class Function(Webhook):
    """A webhook that answers events with what `reply` makes of them: a dict, a text, or a status."""

    def __init__(self):
        self.reply = lambda event: answer(ALLOW)
        super().__init__((200, self.speak))

    def speak(self, event):
        said = self.reply(event)
        return said if isinstance(said, str) else json.dumps(said)

    @property
    def events(self):
        return [json.loads(body) for _, body in self.requests]


@pytest.fixture(scope="module")
def function():
    with Function() as running:
        yield running


@pytest.fixture(scope="module")
def broker(tmp_path_factory, function):
    directory = tmp_path_factory.mktemp("authorizers")
    (directory / "secret").write_bytes(SECRET)
    config = f"""
{PROCESS}
[[function]]
name = "webhook"
url = "{function.url}"
secret_file = "secret"
private_addresses = true
[authorizers]
interval_s_min = 1
[mqtt]
websocket = true
https = true
"""
    with Broker(directory / "data", config) as running:
        yield running
        assert running.process.poll() is None, "the broker ended"
        log = running.log.read_text(errors="replace")
        assert "panicked" not in log
        for secret in ("pa55word", "t0ken-of"):
            assert secret not in log, "a secret is in the log"


@pytest.fixture(scope="module")
def aws(broker):
    return Aws(broker)


@pytest.fixture(scope="module")
def iot(aws):
    return aws.boto3()


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return SigningKey(tmp_path_factory.mktemp("token"))


@pytest.fixture
def make(aws, iot, function):
    """Makes authorizers without signing, and deletes what is left of them."""
    made = []
    function.reply = lambda event: answer(ALLOW)
    function.requests.clear()

    def make(which="webhook", **more):
        name = f"a-{uuid.uuid4().hex[:10]}"
        options = {"signingDisabled": True, "status": "ACTIVE"} | more
        iot.create_authorizer(authorizerName=name, authorizerFunctionArn=lambda_arn(aws, which), **options)
        made.append(name)
        return name

    yield make
    with contextlib.suppress(iot.exceptions.ResourceNotFoundException):
        iot.clear_default_authorizer()
    for name in made:
        with contextlib.suppress(iot.exceptions.ResourceNotFoundException):
            iot.update_authorizer(authorizerName=name, status="INACTIVE")
            iot.delete_authorizer(authorizerName=name)


def named(authorizer, user="", **parameters):
    """A user name that names an authorizer."""
    parameters = {"x-amz-customauthorizer-name": authorizer} | parameters
    return f"{user}?{urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)}"


def person(broker, user_name=None, password=None, version=V5, client_id=None, transport="tcp", path=None, headers=None):
    """A paho client without a certificate; not connected yet."""
    client = Client(broker, None, client_id, version, transport=transport)
    if transport == "tcp":
        client.paho._ssl_context.set_alpn_protocols(["mqtt"])
    else:
        client.paho.ws_set_options(path=path or "/mqtt", headers=headers)
    if user_name is not None:
        client.paho.username_pw_set(user_name, password)
    return client


def why(broker, client_id):
    """What `tidegate why` says, once it knows."""
    def told():
        return json.loads(broker.run("why", client_id, "--limit", "1", "--json", check=False).stdout or "[]")

    return json.dumps(wait_for(told, f"a refusal of {client_id}"))


def refused(client):
    with pytest.raises(Closed) as closed:
        client.connect()
    return closed.value.reason
