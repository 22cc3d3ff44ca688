"""The API among peers without credentials, and a store that was damaged while nobody ran it."""

import contextlib
import json
import time

import pytest
from botocore import xform_name

from support.aws import Aws
from support.broker import Broker
from support.functions import PROCESS
from support.raw import Api, plain, send
from test_model import SCENARIO, World

SEATS = 512  # connections that the API takes at one time
PROMPT = 3  # seconds; silent peers are waited for much longer than that
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def broker(tmp_path):
    with Broker(tmp_path / "data", PROCESS) as broker:
        yield broker
        assert broker.process.poll() is None, "the broker ended"
        assert "panicked" not in broker.log.read_text(errors="replace")


def is_prompt(api):
    since = time.monotonic()
    assert api.call("GET", "/policies")[0] == 200
    return time.monotonic() - since < PROMPT


def is_closed(sock):
    """Whether the peer has ended the connection, whatever it sent before."""
    try:
        while sock.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def test_silent_connections_keep_nobody_waiting(broker):
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(plain(Api(broker).port)) for _ in range(SEATS + 8)]
        assert is_prompt(Api(broker))
        assert is_closed(silent[0]), "the oldest made room"


def test_who_asks_for_health_and_reads_nothing_keeps_nobody_waiting(broker):
    api = Api(broker)
    with contextlib.ExitStack() as stack:
        greedy = [stack.enter_context(api.socket()) for _ in range(SEATS)]
        for sock in greedy:
            sock.settimeout(0)
            with contextlib.suppress(OSError):
                send(sock, HEALTH * 2000)
        assert is_prompt(api)


def test_a_signed_connection_outlives_a_crowd(broker):
    api = Api(broker)
    with contextlib.ExitStack() as stack:
        known = stack.enter_context(api.socket())
        for crowd in (0, SEATS):
            for _ in range(crowd):
                stack.enter_context(plain(api.port))
            known.sendall(api.signed("GET", "/policies"))
            assert known.recv(65536).startswith(b"HTTP/1.1 200 ")


def texts(value):
    """All strings within an answer or a request."""
    if isinstance(value, dict):
        return {text for one in value.values() for text in texts(one)}
    if isinstance(value, list):
        return {text for one in value for text in texts(one)}
    return {value} if isinstance(value, str) else set()


#: Beginnings of what makes something new, and parts of what every account has of its own.
NEW, OWN = ("Create", "Register", "GetRegistrationCode", "DescribeEndpoint"), ("EventConfigurations", "Logging", "ListDomainConfigurations")


def test_another_account_is_told_nothing_and_changes_nothing(broker, tmp_path):
    """The scenario of `test_model`: before each call a stranger makes it too, with the same ids; it is refused or answered with
    nothing, and the scenario goes on as if it had not been."""
    world, stranger = World(broker, tmp_path), Aws(broker, broker.create_account())
    client, refused = stranger.boto3(), 0
    for row in SCENARIO:
        # What anybody may do at home is no attempt on somebody else's.
        at_home = row.operation.startswith(NEW) or any(part in row.operation for part in OWN)
        if row.service == "iot" and not at_home:
            arguments = row.arguments(world) if callable(row.arguments) else row.arguments
            try:
                answer = getattr(client, xform_name(row.operation))(**arguments)
            except client.exceptions.ClientError as error:
                refused += 1
                assert error.response["Error"]["Code"] != "InternalFailureException", (row.operation, error)
            else:
                del answer["ResponseMetadata"]
                assert not answer or row.operation.startswith(("List", "TestAuthorization")), f"{row.operation} tells {answer}"
                told = texts(answer) - texts(arguments) - {"ALLOWED", "IMPLICIT_DENY"}
                assert not told, f"{row.operation} tells {told}"
        world.play(row)
    assert refused > 50


@pytest.mark.parametrize("place", [0, 1, "middle"])
def test_a_store_with_a_damaged_journal_is_refused_in_words(tmp_path, place):
    with Broker(tmp_path / "data") as broker:
        assert Api(broker).call("GET", "/registrationcode")[0] == 200
        assert broker.stop() == 0
        (journal,) = broker.data.rglob("*.jnl")
        content = bytearray(journal.read_bytes())
        at = len(content.rstrip(b"\0")) // 2 if place == "middle" else place
        content[at] ^= 0xFF
        journal.write_bytes(content)
        said = broker.log.stat().st_size
        for _ in range(2):
            assert broker.launch().process.wait(60) not in (0, None)
        log = broker.log.read_bytes()[said:].decode(errors="replace")
        assert "is damaged" in log and "from a backup" in log and str(broker.data) in log


JSON = [("Content-Type", "application/json")]
ARN = "arn:aws:iot:{region}:{account}:"


def attributes(pairs):
    return json.dumps({"attributePayload": {"attributes": pairs}})


@pytest.fixture(scope="module")
def things(tmp_path_factory):
    """An API with one thing, `t`, which nothing here may change."""
    with Broker(tmp_path_factory.mktemp("things") / "data") as broker:
        api = Api(broker)
        assert api.call("POST", "/things/t", attributes({"a": "1"}), headers=JSON)[0] == 200
        before = api.call("GET", "/things?maxResults=250"), api.call("GET", "/things/t")
        yield api
        assert before == (api.call("GET", "/things?maxResults=250"), api.call("GET", "/things/t"))
        assert broker.process.poll() is None and "panicked" not in broker.log.read_text(errors="replace")


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("POST", f"/things/{'a' * 129}", "{}", 400), ("POST", f"/things/{'a' * 5000}", "{}", 400), ("POST", "/things/%00", "{}", 400),
        ("POST", "/things/a%2Fb", "{}", 400), ("POST", "/things/%ff", "{}", 400), ("POST", "/things/%C3%A9", "{}", 400),
        ("POST", "/things/a.b", "{}", 400), ("POST", "/things/..", "{}", 400), ("POST", "/thing-types/a%0d%0a", "{}", 400),
        ("POST", "/things/x", attributes({str(n): "1" for n in range(60_000)}), 400), ("POST", "/things/x", attributes({"a": "v" * 801}), 400),
        ("POST", "/things/x", attributes({"n" * 129: "v"}), 400), ("POST", "/things/x", attributes({"": "v"}), 400),
        ("POST", "/things/x", attributes({"a": "\u0000"}), 400), ("POST", "/things/x", attributes({"a\u0000": "v"}), 400),
        ("POST", "/things/x", attributes({"a": "${iot:ClientId}"}), 400), ("POST", "/things/x", attributes({"a": "*"}), 400),
        ("POST", "/things/x", attributes({"a": ["1"]}), 400), ("POST", "/things/x", attributes(["a"]), 400), ("POST", "/things/x", attributes("a=1"), 400),
        ("POST", "/things/x", '{"attributePayload":' * 5000 + "1" + "}" * 5000, 400), ("POST", "/things/x", '{"attributePayload":{"merge":"yes"}}', 400),
        ("POST", "/things/x", '{"thingTypeName":"a b"}', 400), ("POST", "/things/x", '{"thingTypeName":7}', 400), ("POST", "/things/x", "[]", 400),
        ("PATCH", "/things/t", '{"expectedVersion":1.5}', 400), ("PATCH", "/things/t", '{"expectedVersion":99999999999999999999}', 400),
        ("PATCH", "/things/t", '{"expectedVersion":-1}', 409), ("PATCH", "/things/t", '{"expectedVersion":9223372036854775807}', 409),
        ("PATCH", "/things/t", '{"removeThingType":true,"thingTypeName":"x"}', 400), ("PATCH", "/things/t", attributes({"a": "1", "b": "2", "c": "3", "d": "4"}), 400),
        ("DELETE", "/things/t?expectedVersion=2", "", 409), ("DELETE", "/things/t?expectedVersion=x", "", 400), ("DELETE", "/things/t?expectedVersion=", "", 400),
        ("GET", "/things?maxResults=0", "", 400), ("GET", "/things?maxResults=251", "", 400), ("GET", "/things?maxResults=1e2", "", 400),
        ("GET", "/things?nextToken=AAAA", "", 400), ("GET", f"/things?nextToken={'A' * 5000}", "", 400), ("GET", "/things?nextToken=%00", "", 400),
        ("GET", "/things?attributeName=a%20b", "", 400), ("GET", "/things?attributeName=a&attributeValue=%00", "", 400), ("GET", "/things?attributeValue=1", "", 400),
        ("GET", f"/things?attributeName={'a' * 129}", "", 400), ("GET", "/things?usePrefixAttributeValue=maybe", "", 400), ("GET", "/things?thingTypeName=%2e", "", 400),
        ("GET", "/things/t/principals?maxResults=-1", "", 400), ("GET", "/things/none/principals", "", 404), ("GET", "/things/t/principals-v2?thingPrincipalType=ALL", "", 400),
        ("POST", "/thing-types/x", '{"thingTypeProperties":{"searchableAttributes":["a","b","c","d"]}}', 400),
        ("POST", "/thing-types/x", json.dumps({"thingTypeProperties": {"searchableAttributes": ["a"] * 50_000}}), 400),
        ("POST", "/thing-types/x", json.dumps({"thingTypeProperties": {"thingTypeDescription": "d" * 2029}}), 400),
        ("POST", "/thing-types/x", '{"thingTypeProperties":{"mqtt5Configuration":{"propagatingAttributes":[{}]}}}', 400),
        ("POST", "/thing-types/none/deprecate", '{"undoDeprecate":"no"}', 400), ("POST", "/thing-types/none/deprecate", "{}", 404), ("DELETE", "/thing-types/none", "", 404),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_no_thing_may_be_is_refused_and_changes_nothing(things, method, target, body, status):
    found, answer = things.call(method, target, body, headers=JSON if body else ())
    assert found == status and json.loads(answer)["message"] and len(answer) < 20_000


@pytest.mark.parametrize(
    ("principal", "status"),
    [
        (None, 400), ("", 400), ("x", 400), ("arn:" * 2000, 400), (f"{ARN}cert/{'0' * 64}", 404), (f"{ARN}cert/{'g' * 64}", 400), (f"{ARN}cert/", 400),
        (f"arn:aws:iot:{{region}}:000000000000:cert/{'0' * 64}", 400), (f"arn:aws:iot:mars-1:{{account}}:cert/{'0' * 64}", 400),
        (f"{ARN}thing/t", 400), (f"{ARN}policy/p", 400), (f"{ARN}cacert/{'0' * 64}", 400), ("eu-central-1:12345678-1234-1234-1234-123456789012", 400),
        (f"{ARN}cert/{'0' * 64},{ARN}cert/{'0' * 64}", 400),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_who_is_no_certificate_is_attached_to_nothing(things, principal, status):
    account = things.account.account_id
    named = [] if principal is None else [("x-amzn-principal", principal.format(region=things.region, account=account))]
    for method, target in (("PUT", "/things/t/principals"), ("DELETE", "/things/t/principals"), ("GET", "/principals/things"), ("GET", "/principals/things-v2")):
        found, answer = things.call(method, target, headers=named)
        assert found == status and json.loads(answer)["message"], (method, target)


def test_accounts_and_regions_do_not_see_each_others_things(broker):
    one, two = Api(broker), Api(broker, broker.create_account())
    created = json.loads(one.call("POST", "/keys-and-certificate?setAsActive=true")[1])
    elsewhere = Api(broker, region="eu-west-3")
    for name in ("a", "b"):
        assert one.call("POST", f"/things/{name}", attributes({"room": "1"}), headers=JSON)[0] == 200
    principal = [("x-amzn-principal", created["certificateArn"])]
    assert one.call("PUT", "/things/a/principals", headers=principal)[0] == 200
    token = json.loads(one.call("GET", "/things?maxResults=1")[1])["nextToken"].replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    assert one.call("GET", f"/things?maxResults=1&nextToken={token}")[0] == 200
    for stranger in (two, elsewhere):
        assert stranger.call("GET", "/things/a")[0] == 404
        assert json.loads(stranger.call("GET", "/things?attributeName=room")[1]) == {"things": []}
        assert stranger.call("GET", f"/things?maxResults=1&nextToken={token}")[0] == 400
        assert stranger.call("DELETE", "/things/a")[0] == 200  # what is not there counts as deleted
        assert stranger.call("POST", "/things/a", "{}", headers=JSON)[0] == 200
        assert stranger.call("PUT", "/things/a/principals", headers=principal)[0] == 400
        assert stranger.call("GET", "/principals/things", headers=principal)[0] == 400
    assert json.loads(one.call("GET", "/things/a/principals")[1]) == {"principals": [created["certificateArn"]]}
    assert json.loads(one.call("GET", "/things/a")[1])["attributes"] == {"room": "1"}
