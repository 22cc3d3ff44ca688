"""Thing groups: what nobody sends by mistake."""

import json

import pytest

from support.broker import Broker
from support.raw import Api

JSON = [("Content-Type", "application/json")]


def properties(**members):
    return json.dumps({"thingGroupProperties": members})


def named(attributes):
    return properties(attributePayload={"attributes": attributes})


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    """An API with the thing `t` in the group `g`, which nothing here may change."""
    with Broker(tmp_path_factory.mktemp("groups") / "data") as broker:
        api = Api(broker)
        joins = json.dumps({"thingName": "t", "thingGroupName": "g"})
        for method, target, body in (
            ("POST", "/thing-groups/g", named({"a": "1"})),
            ("POST", "/things/t", "{}"),
            ("PUT", "/thing-groups/addThingToThingGroup", joins),
        ):
            assert api.call(method, target, body, headers=JSON)[0] == 200

        def seen():
            targets = ("/thing-groups?maxResults=250", "/thing-groups/g", "/thing-groups/g/things", "/things/t/thing-groups")
            return [api.call("GET", target) for target in targets]

        before = seen()
        yield api
        assert seen() == before
        assert broker.process.poll() is None and "panicked" not in broker.log.read_text(errors="replace")


@pytest.mark.parametrize(
    ("method", "target", "body", "status"),
    [
        ("POST", f"/thing-groups/{'a' * 129}", "{}", 400), ("POST", f"/thing-groups/{'a' * 5000}", "{}", 400), ("POST", "/thing-groups/%00", "{}", 400),
        ("POST", "/thing-groups/a%2Fb", "{}", 400), ("POST", "/thing-groups/%ff", "{}", 400), ("POST", "/thing-groups/%C3%A9", "{}", 400),
        ("POST", "/thing-groups/a.b", "{}", 400), ("POST", "/thing-groups/..", "{}", 400), ("POST", "/thing-groups/x", "[]", 400),
        ("POST", "/thing-groups/x", '{"parentGroupName":"a b"}', 400), ("POST", "/thing-groups/x", '{"parentGroupName":"x"}', 400),
        ("POST", "/thing-groups/x", '{"parentGroupName":["g"]}', 400), ("POST", "/thing-groups/g", '{"parentGroupName":"g"}', 409),
        ("POST", "/thing-groups/x", properties(thingGroupDescription="d" * 2029), 400), ("POST", "/thing-groups/x", properties(thingGroupDescription="\u0000"), 400),
        ("POST", "/thing-groups/x", properties(thingGroupDescription="\n"), 400), ("POST", "/thing-groups/x", named({str(n): "1" for n in range(51)}), 400),
        ("POST", "/thing-groups/x", named({str(n): "1" for n in range(60_000)}), 400), ("POST", "/thing-groups/x", named({"a": "v" * 801}), 400),
        ("POST", "/thing-groups/x", named({"a": "${iot:ClientId}"}), 400), ("POST", "/thing-groups/x", named({"": "v"}), 400),
        ("POST", "/thing-groups/x", json.dumps({"tags": [{"Key": "aws:x", "Value": "v"}]}), 400),
        ("POST", "/thing-groups/x", json.dumps({"tags": [{"Key": str(n), "Value": "v"} for n in range(51)]}), 400),
        ("PATCH", "/thing-groups/g", "{}", 400), ("PATCH", "/thing-groups/none", properties(), 404),
        ("PATCH", "/thing-groups/g", '{"thingGroupProperties":{},"expectedVersion":1.5}', 400),
        ("PATCH", "/thing-groups/g", '{"thingGroupProperties":{},"expectedVersion":-1}', 409),
        ("PATCH", "/thing-groups/g", '{"thingGroupProperties":{},"expectedVersion":9223372036854775807}', 409),
        ("PATCH", "/thing-groups/g", named({str(n): "1" for n in range(51)}), 400), ("DELETE", "/thing-groups/g?expectedVersion=2", "", 409),
        ("DELETE", "/thing-groups/g?expectedVersion=x", "", 400), ("GET", "/thing-groups?maxResults=0", "", 400), ("GET", "/thing-groups?maxResults=251", "", 400),
        ("GET", "/thing-groups?nextToken=AAAA", "", 400), ("GET", f"/thing-groups?nextToken={'A' * 5000}", "", 400), ("GET", "/thing-groups?recursive=perhaps", "", 400),
        ("GET", "/thing-groups?namePrefixFilter=a.b", "", 400), ("GET", "/thing-groups?parentGroup=%00", "", 400), ("GET", "/thing-groups/none/things", "", 404),
        ("GET", "/thing-groups/g/things?nextToken=%00", "", 400), ("GET", "/things/none/thing-groups", "", 404), ("GET", "/things/t/thing-groups?maxResults=-1", "", 400),
        ("PUT", "/thing-groups/addThingToThingGroup", "", 400), ("PUT", "/thing-groups/addThingToThingGroup", '{"thingName":7,"thingGroupName":"g"}', 400),
        ("PUT", "/thing-groups/addThingToThingGroup", '{"thingName":"t","thingGroupArn":"' + "arn:" * 2000 + '"}', 400),
        ("PUT", "/thing-groups/updateThingGroupsForThing", '{"thingName":"t","thingGroupsToAdd":["a b"]}', 400),
        ("PUT", "/thing-groups/updateThingGroupsForThing", '{"thingName":"t","thingGroupsToAdd":[null]}', 400),
        ("PUT", "/thing-groups/updateThingGroupsForThing", '{"thingName":"t","thingGroupsToRemove":["g"],"thingGroupsToAdd":["none"]}', 404),
        ("PUT", "/thing-groups/updateThingGroupsForThing", json.dumps({"thingName": "t", "thingGroupsToAdd": ["g"] * 60_000}), 400),
        ("PUT", "/thing-groups/updateThingGroupsForThing", '{"thingGroupsToRemove":["g"]}', 400),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_no_group_may_be_is_refused_and_changes_nothing(api, method, target, body, status):
    found, answer = api.call(method, target, body, headers=JSON if body else ())
    assert found == status and json.loads(answer)["message"] and len(answer) < 20_000
