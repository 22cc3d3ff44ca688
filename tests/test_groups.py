"""Thing groups: hierarchies, members and policies, through the unmodified `aws` CLI of both generations, boto3 and devices."""

import contextlib
import json

import pytest

from support.aws import CLI_V1, CLI_V2, Aws, AwsError, create_policy, register_ca
from support.broker import Broker, wait_for
from support.mqtt import V5, Client, Closed, mosquitto


def arn(aws, resource):
    return f"arn:aws:iot:{aws.region}:{aws.account.account_id}:{resource}"


def group(aws, name, parent=None, *options):
    chosen = ["--parent-group-name", parent] if parent else []
    return aws.iot("create-thing-group", "--thing-group-name", name, *chosen, *options)


def describe(aws, name):
    return aws.iot("describe-thing-group", "--thing-group-name", name)


def groups(aws, *options):
    return [found["groupName"] for found in aws.iot("list-thing-groups", *options)["thingGroups"]]


def thing(aws, name):
    return aws.iot("create-thing", "--thing-name", name)["thingArn"]


def add(aws, name, to):
    return aws.iot("add-thing-to-thing-group", "--thing-name", name, "--thing-group-name", to)


def remove(aws, name, of):
    return aws.iot("remove-thing-from-thing-group", "--thing-name", name, "--thing-group-name", of)


def things_in(aws, name, *options):
    return aws.iot("list-things-in-thing-group", "--thing-group-name", name, *options)["things"]


def groups_of(aws, name):
    return [found["groupName"] for found in aws.iot("list-thing-groups-for-thing", "--thing-name", name)["thingGroups"]]


def attach(aws, policy, name):
    return aws.iot("attach-policy", "--policy-name", policy, "--target", arn(aws, f"thinggroup/{name}"))


def detach(aws, policy, name):
    return aws.iot("detach-policy", "--policy-name", policy, "--target", arn(aws, f"thinggroup/{name}"))


def allow(aws, name, *statements):
    """A policy of `(action, resource)` pairs; its name."""
    made = [{"Effect": "Allow", "Action": f"iot:{action}", "Resource": arn(aws, resource)} for action, resource in statements]
    return create_policy(aws, name, {"Version": "2012-10-17", "Statement": made})


def refusal(call, *arguments):
    with pytest.raises(AwsError) as caught:
        call(*arguments)
    return caught.value.code


@pytest.fixture
def device(aws, ca):
    """A certificate that is ACTIVE, attached to the thing `lamp`, and has no policy of its own."""
    register_ca(aws, ca)
    made = ca.sign("lamp")
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    thing(aws, "lamp")
    aws.iot("attach-thing-principal", "--thing-name", "lamp", "--principal", arn(aws, f"cert/{made.certificate_id}"))
    return made


# Groups


@pytest.mark.parametrize("cli", [CLI_V1, CLI_V2])
def test_the_life_of_a_hierarchy(broker, account, cli):
    aws = Aws(broker, account, cli)
    properties = '{"thingGroupDescription":"all lights","attributePayload":{"attributes":{"building":"7"}}}'
    made = group(aws, "lights", None, "--thing-group-properties", properties, "--tags", "Key=plant,Value=north")
    assert made["thingGroupArn"] == arn(aws, "thinggroup/lights")
    group(aws, "floor-1", "lights")
    seen = describe(aws, "lights")
    assert seen["thingGroupId"] == made["thingGroupId"] and seen["version"] == 1
    assert seen["thingGroupProperties"] == json.loads(properties)
    assert seen["thingGroupMetadata"].keys() == {"creationDate"}
    below = describe(aws, "floor-1")["thingGroupMetadata"]
    assert below["parentGroupName"] == "lights"
    assert below["rootToParentThingGroups"] == [{"groupName": "lights", "groupArn": made["thingGroupArn"]}]
    update = ["update-thing-group", "--thing-group-name", "lights", "--thing-group-properties"]
    merged = '{"attributePayload":{"attributes":{"building":"","wing":"east"},"merge":true}}'
    assert aws.iot(*update, merged, "--expected-version", 1) == {"version": 2}
    assert describe(aws, "lights")["thingGroupProperties"]["attributePayload"]["attributes"] == {"wing": "east"}
    assert refusal(aws.iot, *update, merged, "--expected-version", 1) == "VersionConflictException"
    assert refusal(aws.iot, "delete-thing-group", "--thing-group-name", "lights") == "InvalidRequestException"
    for name in ("floor-1", "lights", "lights"):
        assert aws.iot("delete-thing-group", "--thing-group-name", name) == {}
    assert refusal(describe, aws, "lights") == "ResourceNotFoundException"


def test_the_same_group_again_is_answered_and_another_is_refused(aws):
    api = aws.boto3()
    group(aws, "root")
    asked = {
        "thingGroupName": "g",
        "parentGroupName": "root",
        "thingGroupProperties": {"thingGroupDescription": "d", "attributePayload": {"attributes": {"a": "1"}}},
    }
    first = api.create_thing_group(**asked)
    assert api.create_thing_group(**asked)["thingGroupId"] == first["thingGroupId"]
    for other in ({"thingGroupName": "g"}, asked | {"thingGroupProperties": {"thingGroupDescription": "e"}}):
        with pytest.raises(api.exceptions.ResourceAlreadyExistsException) as taken:
            api.create_thing_group(**other)
        assert taken.value.response["resourceArn"] == first["thingGroupArn"]


def test_a_hierarchy_has_seven_levels_and_a_group_a_hundred_children(aws):
    api = aws.boto3()
    api.create_thing_group(thingGroupName="level-1")
    for level in range(2, 8):
        api.create_thing_group(thingGroupName=f"level-{level}", parentGroupName=f"level-{level - 1}")
    with pytest.raises(api.exceptions.InvalidRequestException, match="7 levels"):
        api.create_thing_group(thingGroupName="level-8", parentGroupName="level-7")
    for number in range(99):
        api.create_thing_group(thingGroupName=f"child-{number}", parentGroupName="level-1")
    with pytest.raises(api.exceptions.InvalidRequestException, match="100 child groups"):
        api.create_thing_group(thingGroupName="one-more", parentGroupName="level-1")
    with pytest.raises(api.exceptions.InvalidRequestException, match="nobody"):
        api.create_thing_group(thingGroupName="orphan", parentGroupName="nobody")


def test_groups_are_listed_by_level_parent_and_prefix_in_pages(aws):
    for name, parent in (("a", None), ("aa", "a"), ("aaa", "aa"), ("ab", "a"), ("b", None)):
        group(aws, name, parent)
    for options, expected in (
        ([], ["a", "aa", "aaa", "ab", "b"]),
        (["--no-recursive"], ["a", "b"]),
        (["--recursive", "--parent-group", "a"], ["aa", "aaa", "ab"]),
        (["--no-recursive", "--parent-group", "a"], ["aa", "ab"]),
        (["--name-prefix-filter", "aa"], ["aa", "aaa"]),
        (["--recursive", "--parent-group", "a", "--name-prefix-filter", "aa"], ["aa", "aaa"]),
    ):
        assert groups(aws, *options) == expected, options
        assert groups(aws, *options, "--page-size", "2") == expected, options
    assert refusal(groups, aws, "--parent-group", "nobody") == "ResourceNotFoundException"
    api = aws.boto3()
    token = api.list_thing_groups(maxResults=1)["nextToken"]
    for wrong in ({"nextToken": token, "recursive": False}, {"nextToken": token[:-4]}, {"nextToken": "!"}):
        with pytest.raises(api.exceptions.InvalidRequestException):
            api.list_thing_groups(**wrong)


# Members


def test_a_thing_is_in_ten_groups_and_in_one_of_a_hierarchy(aws):
    for name, parent in (("a", None), ("aa", "a"), ("ab", "a")):
        group(aws, name, parent)
    lamp = thing(aws, "lamp")
    assert add(aws, "lamp", "aa") == {} and add(aws, "lamp", "aa") == {}
    assert refusal(add, aws, "lamp", "a") == "InvalidRequestException"
    assert refusal(add, aws, "lamp", "ab") == "InvalidRequestException"
    assert (things_in(aws, "a"), things_in(aws, "a", "--recursive"), things_in(aws, "aa")) == ([], ["lamp"], ["lamp"])
    aws.iot(
        "update-thing-groups-for-thing",
        "--thing-name", "lamp", "--thing-groups-to-add", "ab", "--thing-groups-to-remove", "aa",
    )  # fmt: skip
    assert groups_of(aws, "lamp") == ["ab"]
    api = aws.boto3()
    for number in range(9):
        api.create_thing_group(thingGroupName=f"g{number}")
        api.add_thing_to_thing_group(thingGroupArn=arn(aws, f"thinggroup/g{number}"), thingArn=lamp)
    api.create_thing_group(thingGroupName="eleventh")
    with pytest.raises(api.exceptions.InvalidRequestException, match="10 thing groups"):
        api.add_thing_to_thing_group(thingGroupName="eleventh", thingName="lamp")
    assert remove(aws, "lamp", "g0") == {} and remove(aws, "lamp", "g0") == {}
    api.add_thing_to_thing_group(thingGroupName="eleventh", thingName="lamp")
    assert len(groups_of(aws, "lamp")) == 10
    aws.iot("delete-thing", "--thing-name", "lamp")
    assert things_in(aws, "a", "--recursive") == [] and things_in(aws, "eleventh") == []


def test_a_thing_and_a_group_are_named_by_name_or_arn(aws, broker):
    api = aws.boto3()
    group(aws, "g")
    lamp = thing(aws, "lamp")
    other = Aws(broker, broker.create_account())
    of_group, ours = arn(aws, "thinggroup/g"), {"thingName": "lamp", "thingGroupName": "g"}
    for wrong in (
        {},
        {"thingName": "lamp"},
        {"thingGroupName": "g"},
        {"thingArn": of_group, "thingGroupName": "g"},
        {"thingArn": arn(other, "thing/lamp"), "thingGroupName": "g"},
        {"thingArn": "lamp", "thingGroupName": "g"},
        ours | {"thingArn": lamp + "2"},
        ours | {"thingGroupArn": of_group + "2"},
    ):
        for call in (api.add_thing_to_thing_group, api.remove_thing_from_thing_group):
            with pytest.raises(api.exceptions.InvalidRequestException):
                call(**wrong)
    assert things_in(aws, "g") == []
    api.add_thing_to_thing_group(**ours, thingArn=lamp, thingGroupArn=of_group)
    for wrong in ({"thingName": "nobody", "thingGroupName": "g"}, {"thingName": "lamp", "thingGroupName": "nobody"}):
        for call in (api.add_thing_to_thing_group, api.remove_thing_from_thing_group):
            with pytest.raises(api.exceptions.ResourceNotFoundException):
                call(**wrong)
    with pytest.raises(api.exceptions.InvalidRequestException, match="both"):
        api.update_thing_groups_for_thing(thingName="lamp", thingGroupsToAdd=["g"], thingGroupsToRemove=["g"])
    with pytest.raises(api.exceptions.InvalidRequestException, match="at most 100"):
        api.update_thing_groups_for_thing(thingName="lamp", thingGroupsToAdd=[f"g{n}" for n in range(101)])
    assert things_in(aws, "g") == ["lamp"]


def test_dynamic_and_billing_groups_are_refused_in_the_models_words(aws):
    api = aws.boto3()
    for call in (
        lambda: api.create_dynamic_thing_group(thingGroupName="g", queryString="attributes.a:1"),
        lambda: api.create_billing_group(billingGroupName="g"),
    ):
        with pytest.raises(api.exceptions.InvalidRequestException, match="Tidegate does not serve"):
            call()


def test_tags_of_groups(aws):
    of = group(aws, "g", None, "--tags", "Key=plant,Value=north")["thingGroupArn"]
    assert aws.iot("list-tags-for-resource", "--resource-arn", of)["tags"] == [{"Key": "plant", "Value": "north"}]
    aws.iot("tag-resource", "--resource-arn", of, "--tags", "Key=owner,Value=me")
    aws.iot("untag-resource", "--resource-arn", of, "--tag-keys", "plant")
    assert aws.iot("list-tags-for-resource", "--resource-arn", of)["tags"] == [{"Key": "owner", "Value": "me"}]
    assert describe(aws, "g")["version"] == 1


# Policies


def test_policies_of_groups_are_attached_and_listed(aws):
    for name, parent in (("a", None), ("aa", "a")):
        group(aws, name, parent)
    for name in ("p", "q", "r"):
        allow(aws, name, ("Connect", "client/*"))
    for policy, name in (("q", "a"), ("p", "aa"), ("q", "aa")):
        assert attach(aws, policy, name) == {}
    assert refusal(attach, aws, "r", "aa") == "LimitExceededException"
    assert refusal(attach, aws, "r", "nobody") == "ResourceNotFoundException"

    def attached(name, *options):
        found = aws.iot("list-attached-policies", "--target", arn(aws, f"thinggroup/{name}"), *options)["policies"]
        return [policy["policyName"] for policy in found]

    assert (attached("a"), attached("aa")) == (["q"], ["p", "q"])
    detach(aws, "q", "aa")
    assert (attached("aa"), attached("aa", "--recursive")) == (["p"], ["p", "q"])
    assert aws.iot("list-targets-for-policy", "--policy-name", "q")["targets"] == [arn(aws, "thinggroup/a")]
    assert refusal(aws.iot, "delete-policy", "--policy-name", "q") == "DeleteConflictException"
    for name in ("aa", "a"):
        aws.iot("delete-thing-group", "--thing-group-name", name)
    for name in ("p", "q", "r"):
        aws.iot("delete-policy", "--policy-name", name)


def may(client, topic):
    return not client.publish(topic, b"x").is_failure


def test_permission_comes_and_goes_with_the_group_on_the_live_connection(broker, aws, device):
    for name, parent in (("house", None), ("floor", "house"), ("garden", None)):
        group(aws, name, parent)
    allow(aws, "connects", ("Connect", "client/*"))
    for name in ("house", "floor", "garden"):
        attach(aws, allow(aws, f"of-{name}", ("Publish", f"topic/{name}")), name)
    aws.iot("attach-policy", "--policy-name", "connects", "--target", arn(aws, f"cert/{device.certificate_id}"))
    with Client(broker, device, "lamp", V5) as lamp, Client(broker, device, "another", V5) as another:

        def allowed():
            assert not any(may(another, topic) for topic in ("house", "floor", "garden")), "it stands for no thing"
            return {topic for topic in ("house", "floor", "garden") if may(lamp, topic)}

        assert allowed() == set()
        add(aws, "lamp", "floor")
        assert allowed() == {"house", "floor"}
        add(aws, "lamp", "garden")
        assert allowed() == {"house", "floor", "garden"}
        detach(aws, "of-house", "house")
        assert allowed() == {"floor", "garden"}
        attach(aws, "of-house", "house")
        remove(aws, "lamp", "floor")
        assert allowed() == {"garden"}
        wider = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Publish", "Resource": "*"}]}
        aws.iot("create-policy-version", "--policy-name", "of-garden", "--policy-document", json.dumps(wider), "--set-as-default")
        assert allowed() == {"house", "floor", "garden"}
        aws.iot("detach-thing-principal", "--thing-name", "lamp", "--principal", arn(aws, f"cert/{device.certificate_id}"))
        assert allowed() == set()
        aws.iot("attach-thing-principal", "--thing-name", "lamp", "--principal", arn(aws, f"cert/{device.certificate_id}"))
        assert allowed() == {"house", "floor", "garden"}
        aws.iot("delete-thing-group", "--thing-group-name", "garden")
        assert allowed() == set()


def test_a_group_lets_its_things_connect_and_a_deny_of_a_group_above_wins(broker, aws, device):
    group(aws, "house")
    group(aws, "floor", "house")
    add(aws, "lamp", "floor")
    attach(aws, allow(aws, "all", ("Connect", "client/${iot:Connection.Thing.ThingName}"), ("*", "*")), "floor")
    mosquitto("mosquitto_pub", broker, device, "-i", "lamp", "-t", "t", "-m", "x")
    with pytest.raises(Closed):
        Client(broker, device, "another").connect()
    denied = {"Effect": "Deny", "Action": "iot:Publish", "Resource": arn(aws, "topic/secret")}
    attach(aws, create_policy(aws, "deny", {"Version": "2012-10-17", "Statement": [denied]}), "house")
    with Client(broker, device, "lamp", V5) as lamp:
        assert may(lamp, "t") and not may(lamp, "secret")
        aws.iot("detach-policy", "--policy-name", "deny", "--target", arn(aws, "thinggroup/house"))
        assert may(lamp, "secret")
    remove(aws, "lamp", "floor")
    with pytest.raises(Closed):
        Client(broker, device, "lamp").connect()
    wait_for(lambda: broker.log_entries(eventType="Connect", clientId="lamp", reason="AUTHORIZATION_FAILURE"), "a log line")


def test_an_exclusive_thing_has_its_groups_policies_under_any_client_id(broker, aws, ca):
    register_ca(aws, ca)
    made = ca.sign("press")
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    thing(aws, "press")
    aws.boto3().attach_thing_principal(
        thingName="press", principal=arn(aws, f"cert/{made.certificate_id}"), thingPrincipalType="EXCLUSIVE_THING"
    )
    group(aws, "machines")
    attach(aws, allow(aws, "p", ("Connect", "client/*"), ("Publish", "topic/*")), "machines")
    add(aws, "press", "machines")
    with Client(broker, made, "whatever", V5) as client:
        assert may(client, "t")
        remove(aws, "press", "machines")
        assert not may(client, "t")


def test_groups_of_one_account_are_none_of_another(broker, aws, device):
    other = Aws(broker, broker.create_account())
    group(aws, "g")
    add(aws, "lamp", "g")
    group(other, "g")
    thing(other, "lamp")
    add(other, "lamp", "g")
    attach(other, allow(other, "p", ("*", "*")), "g")
    with pytest.raises(Closed):
        Client(broker, device, "lamp").connect()
    assert things_in(aws, "g") == ["lamp"]
    aws.iot("delete-thing-group", "--thing-group-name", "g")
    assert things_in(other, "g") == ["lamp"]


def test_membership_and_policies_survive_a_restart(tmp_path, ca):
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(Broker(tmp_path / "data"))
        aws = Aws(first)
        register_ca(aws, ca)
        made = ca.sign("lamp")
        aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
        thing(aws, "lamp")
        aws.iot("attach-thing-principal", "--thing-name", "lamp", "--principal", arn(aws, f"cert/{made.certificate_id}"))
        group(aws, "house")
        group(aws, "floor", "house")
        add(aws, "lamp", "floor")
        attach(aws, allow(aws, "p", ("*", "*")), "house")
    with Broker(tmp_path / "data") as again:
        assert groups_of(Aws(again), "lamp") == ["floor"]
        with Client(again, made, "lamp", V5) as lamp:
            assert may(lamp, "t")
