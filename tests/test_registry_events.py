"""What an account hears of its things, types and groups, once it has switched that on."""

import json
import uuid

import pytest

from support.aws import Aws, device_of, register_ca
from support.mqtt import Client
from support.pki import Ca

ALL = [
    "THING", "THING_GROUP", "THING_TYPE", "THING_GROUP_MEMBERSHIP", "THING_GROUP_HIERARCHY", "THING_TYPE_ASSOCIATION", "JOB", "JOB_EXECUTION",
    "POLICY", "CERTIFICATE", "CA_CERTIFICATE",
]  # fmt: skip


@pytest.fixture
def listener(broker, tmp_path):
    aws = Aws(broker, broker.create_account())
    ca = Ca(tmp_path / "ca", f"Test CA {uuid.uuid4().hex}")
    register_ca(aws, ca)
    with Client(broker, device_of(aws, ca)) as client:
        client.subscribe("$aws/events/thing/#", 1)
        client.subscribe("$aws/events/thingType/#", 1)
        client.subscribe("$aws/events/thingGroup/#", 1)
        client.subscribe("$aws/events/thingTypeAssociation/#", 1)
        client.subscribe("$aws/events/thingGroupMembership/#", 1)
        client.subscribe("$aws/events/thingGroupHierarchy/#", 1)
        client.aws, client.iot = aws, aws.boto3("iot")
        yield client


def events(client, count):
    """The next events: topic below `$aws/events/` → payload."""
    heard = {}
    for _ in range(count):
        message = client.message()
        event = json.loads(message.payload)
        assert event["accountId"] == client.aws.account.account_id and event["timestamp"] > 1.7e12
        uuid.UUID(event["eventId"])
        heard[message.topic.removeprefix("$aws/events/")] = event
    assert len(heard) == count
    return heard


def test_nothing_is_told_until_it_is_switched_on(broker, listener):
    iot = listener.iot
    iot.create_thing(thingName="early")
    described = iot.describe_event_configurations()
    assert described["eventConfigurations"] == {name: {"Enabled": False} for name in ALL} and "creationDate" not in described
    listener.silent()
    iot.update_event_configurations(eventConfigurations={"THING": {"Enabled": True}, "POLICY": {"Enabled": True}})
    iot.create_thing_type(thingTypeName="kind")
    iot.create_thing(thingName="told")
    [(topic, event)] = events(listener, 1).items()
    assert (topic, event["operation"], event["thingName"]) == ("thing/told/created", "CREATED", "told")
    iot.update_event_configurations(eventConfigurations={"THING": {"Enabled": False}})
    described = iot.describe_event_configurations()
    assert {name for name, one in described["eventConfigurations"].items() if one["Enabled"]} == {"POLICY"}
    assert described["creationDate"] <= described["lastModifiedDate"]
    iot.delete_thing(thingName="told")
    listener.silent()


def test_each_change_is_told_as_the_guide_says(broker, listener):
    iot = listener.iot
    iot.update_event_configurations(eventConfigurations={name: {"Enabled": True} for name in ALL})
    iot.create_thing_type(thingTypeName="bulb", thingTypeProperties={"thingTypeDescription": "light", "searchableAttributes": ["room"]})
    kind = events(listener, 1)["thingType/bulb/created"]
    assert kind["eventType"] == "THING_TYPE_EVENT" and kind["searchableAttributes"] == ["room"] and kind["isDeprecated"] is False
    thing_id = iot.create_thing(thingName="lamp", thingTypeName="bulb", attributePayload={"attributes": {"room": "9"}})["thingId"]
    heard = events(listener, 2)
    made = heard["thing/lamp/created"]
    assert {name: made[name] for name in ("eventType", "thingId", "thingTypeName", "versionNumber", "attributes")} == {
        "eventType": "THING_EVENT", "thingId": thing_id, "thingTypeName": "bulb", "versionNumber": 1, "attributes": {"room": "9"},
    }  # fmt: skip
    associated = heard["thingTypeAssociation/thing/lamp/thingType/bulb/added"]
    assert (associated["eventType"], associated["operation"], associated["thingId"]) == ("THING_TYPE_ASSOCIATION_EVENT", "ADDED", thing_id)
    iot.create_thing(thingName="lamp", thingTypeName="bulb", attributePayload={"attributes": {"room": "9"}})  # the same: nothing is new
    house = iot.create_thing_group(thingGroupName="house")
    assert events(listener, 1)["thingGroup/house/created"]["rootToParentThingGroups"] == []
    iot.create_thing_group(thingGroupName="floor", parentGroupName="house")
    heard = events(listener, 2)
    floor = heard["thingGroup/floor/created"]
    assert floor["parentGroupName"] == "house" and floor["parentGroupId"] == house["thingGroupId"]
    assert floor["rootToParentThingGroups"] == [{"groupArn": house["thingGroupArn"], "groupId": house["thingGroupId"]}]
    below = heard["thingGroupHierarchy/thingGroup/house/childThingGroup/floor/added"]
    assert (below["thingGroupName"], below["childGroupName"], below["thingGroupId"]) == ("house", "floor", house["thingGroupId"])
    iot.add_thing_to_thing_group(thingName="lamp", thingGroupName="floor")
    joined = events(listener, 1)["thingGroupMembership/thingGroup/floor/thing/lamp/added"]
    assert (joined["thingId"], joined["eventType"]) == (thing_id, "THING_GROUP_MEMBERSHIP_EVENT") and joined["thingArn"].endswith("thing/lamp")
    iot.update_thing(thingName="lamp", removeThingType=True)
    heard = events(listener, 2)
    assert heard["thing/lamp/updated"]["versionNumber"] == 2 and "thingTypeAssociation/thing/lamp/thingType/bulb/removed" in heard
    iot.update_thing_group(thingGroupName="floor", thingGroupProperties={"thingGroupDescription": "first"})
    assert events(listener, 1)["thingGroup/floor/updated"]["description"] == "first"
    iot.deprecate_thing_type(thingTypeName="bulb")
    assert events(listener, 1)["thingType/bulb/updated"]["isDeprecated"] is True
    iot.delete_thing(thingName="lamp")
    assert set(events(listener, 2)) == {"thing/lamp/deleted", "thingGroupMembership/thingGroup/floor/thing/lamp/removed"}
    iot.delete_thing_group(thingGroupName="floor")
    assert set(events(listener, 2)) == {"thingGroup/floor/deleted", "thingGroupHierarchy/thingGroup/house/childThingGroup/floor/removed"}
    listener.silent()


def test_the_switches_survive_kill_9(own_broker):
    Aws(own_broker).boto3("iot").update_event_configurations(eventConfigurations={"THING_TYPE": {"Enabled": True}})
    own_broker.kill()
    own_broker.start()
    described = Aws(own_broker).boto3("iot").describe_event_configurations()["eventConfigurations"]
    assert {name for name, one in described.items() if one["Enabled"]} == {"THING_TYPE"}
