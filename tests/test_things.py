"""Things, their certificates and what connections make of them, through the unmodified `aws` CLI of both generations."""

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from support.aws import CLI_V2, Aws, AwsError, activate, allow_all, create_policy, describe, register_ca
from support.mqtt import V5, Client, Closed
from support.mqtt import properties as properties_of_publish
from support.pki import Ca


def refusal(call, *arguments, **more):
    with pytest.raises((AwsError, ClientError)) as caught:
        call(*arguments, **more)
    return caught.value.code if isinstance(caught.value, AwsError) else caught.value.response["Error"]["Code"]


def register(aws, device, status="ACTIVE"):
    """RegisterCertificate; the ARN."""
    made = aws.iot("register-certificate", "--certificate-pem", f"file://{device.certificate}", "--status", status)
    return made["certificateArn"]


@pytest.fixture
def device(aws, ca):
    """A registered, active certificate without a policy and without a thing."""
    register_ca(aws, ca)
    made = ca.sign("watched")
    made.arn = register(aws, made)
    return made


@pytest.fixture
def other(broker):
    """A second account of the same region."""
    return Aws(broker, broker.create_account())


@pytest.mark.parametrize("cli", [None, CLI_V2], ids=["v1", "v2"])
def test_the_walk_of_the_transfer_guide_to_the_letter(broker, aws, other, device, cli):
    """AWS: developer guide, "Transfer a certificate to another account": every command of it, with the CLI of either generation."""
    iot, walker = aws.boto3(), Aws(broker, aws.account, cli=cli)
    arn, of, target = device.arn, ("--certificate-id", device.certificate_id), other.account.account_id
    iot.attach_policy(policyName=allow_all(aws), target=arn)
    iot.create_thing(thingName="t")
    iot.attach_thing_principal(thingName="t", principal=arn)
    transfer = ("transfer-certificate", *of, "--target-aws-account", target)

    walker.iot("update-certificate", *of, "--new-status", "INACTIVE")
    assert refusal(iot.transfer_certificate, certificateId=device.certificate_id, targetAwsAccount=target) == "TransferConflictException"
    for attached in walker.iot("list-attached-policies", "--target", arn)["policies"]:
        walker.iot("detach-policy", "--target", arn, "--policy-name", attached["policyName"])
    with pytest.raises(AwsError, match="Things must be detached before transfer") as refused:
        walker.iot(*transfer)
    assert refused.value.code == "TransferConflictException"
    things = walker.iot("list-principal-things", "--principal", arn)["things"]
    assert things == ["t"]
    for thing in things:
        walker.iot("detach-thing-principal", "--principal", arn, "--thing-name", thing)
    assert walker.iot(*transfer) == {"transferredCertificateArn": f"arn:aws:iot:{aws.region}:{target}:cert/{device.certificate_id}"}
    # What is on its way is attached to nothing; what came back may be, and is not deleted then.
    assert refusal(iot.attach_thing_principal, thingName="t", principal=arn) == "InvalidRequestException"
    iot.cancel_certificate_transfer(certificateId=device.certificate_id)
    walker.iot("attach-thing-principal", "--thing-name", "t", "--principal", arn)
    assert refusal(iot.delete_certificate, certificateId=device.certificate_id, forceDelete=True) == "DeleteConflictException"


def test_a_thing_is_described_updated_and_deleted(aws):
    iot = aws.boto3()
    made = iot.create_thing(thingName="bulb:1", attributePayload={"attributes": {"room": "1", "colour": "red"}})
    assert made["thingArn"] == f"arn:aws:iot:{aws.region}:{aws.account.account_id}:thing/bulb:1"
    uuid.UUID(made["thingId"])
    again = iot.create_thing(thingName="bulb:1", attributePayload={"attributes": {"colour": "red", "room": "1"}, "merge": True})
    assert again["thingId"] == made["thingId"]
    with pytest.raises(iot.exceptions.ResourceAlreadyExistsException) as caught:
        iot.create_thing(thingName="bulb:1")
    assert caught.value.response["resourceArn"] == made["thingArn"] and caught.value.response["resourceId"] == "bulb:1"
    iot.update_thing(thingName="bulb:1", attributePayload={"attributes": {"colour": "", "watt": "5"}, "merge": True}, expectedVersion=1)
    with pytest.raises(iot.exceptions.VersionConflictException):
        iot.update_thing(thingName="bulb:1", attributePayload={"attributes": {}}, expectedVersion=1)
    seen = aws.iot("describe-thing", "--thing-name", "bulb:1")
    assert seen == {
        "defaultClientId": "bulb:1",
        "thingName": "bulb:1",
        "thingId": made["thingId"],
        "thingArn": made["thingArn"],
        "attributes": {"room": "1", "watt": "5"},
        "version": 2,
    }
    with pytest.raises(iot.exceptions.VersionConflictException):
        iot.delete_thing(thingName="bulb:1", expectedVersion=1)
    iot.delete_thing(thingName="bulb:1", expectedVersion=2)
    iot.delete_thing(thingName="bulb:1")
    with pytest.raises(iot.exceptions.ResourceNotFoundException):
        iot.describe_thing(thingName="bulb:1")


def test_an_exclusive_thing_is_the_only_one_of_its_certificate(aws, device):
    iot = aws.boto3()
    for name in ("t", "u"):
        iot.create_thing(thingName=name)
    attach = {"principal": device.arn, "thingPrincipalType": "EXCLUSIVE_THING"}
    iot.attach_thing_principal(thingName="t", **attach)
    assert refusal(iot.attach_thing_principal, thingName="u", principal=device.arn) == "InvalidRequestException"
    assert refusal(iot.attach_thing_principal, thingName="u", **attach) == "InvalidRequestException"
    seen = iot.list_principal_things_v2(principal=device.arn)
    assert seen["principalThingObjects"] == [{"thingName": "t", "thingPrincipalType": "EXCLUSIVE_THING"}]
    assert iot.list_principal_things_v2(principal=device.arn, thingPrincipalType="NON_EXCLUSIVE_THING")["principalThingObjects"] == []
    seen = iot.list_thing_principals_v2(thingName="t")
    assert seen["thingPrincipalObjects"] == [{"principal": device.arn, "thingPrincipalType": "EXCLUSIVE_THING"}]
    assert iot.list_thing_principals(thingName="t")["principals"] == [device.arn]
    assert refusal(iot.delete_thing, thingName="t") == "InvalidRequestException"
    iot.detach_thing_principal(thingName="t", principal=device.arn)
    for name in ("t", "u"):
        iot.attach_thing_principal(thingName=name, principal=device.arn)
    assert refusal(iot.attach_thing_principal, thingName="u", **attach) == "InvalidRequestException"
    pages = iot.get_paginator("list_principal_things").paginate(principal=device.arn, PaginationConfig={"PageSize": 1})
    assert [page["things"] for page in pages] == [["t"], ["u"]]


def statement(aws, action, resource, **more):
    return {"Effect": "Allow", "Action": action, "Resource": f"arn:aws:iot:{aws.region}:{aws.account.account_id}:{resource}"} | more


def test_policies_speak_of_the_thing_of_a_connection(broker, aws, device):
    iot, name = aws.boto3(), f"t-{uuid.uuid4().hex[:8]}"
    attached = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    document = {
        "Version": "2012-10-17",
        "Statement": [
            statement(aws, "iot:Connect", "client/${iot:Connection.Thing.ThingName}", Condition=attached),
            statement(aws, "iot:Connect", "client/any-*"),
            statement(aws, "iot:Publish", "topic/things/${iot:Connection.Thing.ThingName}"),
            statement(aws, "iot:Publish", "topic/rooms/${iot:Connection.Thing.Attributes[room]}"),
        ],
    }
    activate(aws, device.certificate_id, create_policy(aws, "p", document))

    def may(client, topic):
        return not client.publish(topic, b"x").is_failure

    with pytest.raises(Closed):
        Client(broker, device, name, V5).connect()  # there is no such thing
    iot.create_thing(thingName=name, attributePayload={"attributes": {"room": "1"}})
    with pytest.raises(Closed):
        Client(broker, device, name, V5).connect()  # it is not attached
    iot.attach_thing_principal(thingName=name, principal=device.arn)
    with Client(broker, device, name, V5) as client, Client(broker, device, f"any-{name}", V5) as anonymous:
        assert may(client, f"things/{name}") and may(client, "rooms/1") and not may(client, "rooms/2")
        assert not may(anonymous, f"things/{name}") and not may(anonymous, "rooms/1")
        # A change of the thing reaches the connection that there is.
        iot.update_thing(thingName=name, attributePayload={"attributes": {"room": "2"}})
        assert may(client, "rooms/2") and not may(client, "rooms/1")
        # Exclusively attached, the certificate's connections are the thing's whatever their client id.
        iot.attach_thing_principal(thingName=name, principal=device.arn, thingPrincipalType="EXCLUSIVE_THING")
        assert may(client, "rooms/2") and may(anonymous, "rooms/2") and may(anonymous, f"things/{name}")
        iot.update_thing(thingName=name, attributePayload={"attributes": {"room": "3"}})
        assert may(client, "rooms/3") and may(anonymous, "rooms/3") and not may(anonymous, "rooms/2")
        iot.detach_thing_principal(thingName=name, principal=device.arn)
        assert not may(anonymous, "rooms/3") and may(client, "rooms/3")
        iot.delete_thing(thingName=name)
        assert not may(client, "rooms/3") and not may(client, f"things/{name}")


def test_events_name_the_thing_of_an_exclusive_attachment_only(broker, aws, ca, device):
    activate(aws, device.certificate_id, allow_all(aws))
    watcher = ca.sign("watcher")
    register(aws, watcher)
    activate(aws, watcher.certificate_id, "everything")
    iot, name = aws.boto3(), f"t-{uuid.uuid4().hex[:8]}"
    iot.create_thing(thingName=name)
    with Client(broker, watcher) as watching:
        watching.subscribe("$aws/events/#")

        def of_a_connection(client_id):
            with Client(broker, device, client_id) as client:
                client.subscribe("a")
                client.unsubscribe("a")
            events = []
            while not events or events[-1]["eventType"] != "disconnected":
                event = json.loads(watching.message().payload)
                events += [event] if event["clientId"] == client_id else []
            assert len(events) == 4
            return {event.get("thingName") for event in events}

        assert of_a_connection(name) == {None}
        iot.attach_thing_principal(thingName=name, principal=device.arn)
        assert of_a_connection(name) == {None}
        iot.attach_thing_principal(thingName=name, principal=device.arn, thingPrincipalType="EXCLUSIVE_THING")
        for client_id in (name, f"c-{uuid.uuid4().hex[:8]}"):
            assert of_a_connection(client_id) == {name}
        # Who may not connect is announced with its thing, too.
        aws.iot("detach-policy", "--policy-name", "everything", "--target", device.arn)
        with pytest.raises(Closed):
            Client(broker, device, "refused").connect()
        event = json.loads(watching.message().payload)
        assert (event["eventType"], event["thingName"]) == ("connect_failed", name)


def test_things_and_attachments_outlive_a_kill(own_broker, tmp_path):
    aws, ca = Aws(own_broker), Ca(tmp_path / "pki", "Survivor")
    register_ca(aws, ca)
    device = ca.sign("device")
    arn, iot = register(aws, device), aws.boto3()
    document = {"Version": "2012-10-17", "Statement": [statement(aws, "iot:Connect", "client/${iot:Connection.Thing.Attributes[id]}")]}
    activate(aws, device.certificate_id, create_policy(aws, "p", document))
    iot.create_thing(thingName="t", attributePayload={"attributes": {"id": "seven"}})
    iot.attach_thing_principal(thingName="t", principal=arn, thingPrincipalType="EXCLUSIVE_THING")
    own_broker.kill()
    own_broker.start()
    iot = Aws(own_broker).boto3()
    assert iot.describe_thing(thingName="t")["attributes"] == {"id": "seven"}
    assert iot.list_thing_principals(thingName="t")["principals"] == [arn]
    with Client(own_broker, device, "seven"):
        pass
    assert describe(Aws(own_broker), device.certificate_id)["status"] == "ACTIVE"


@pytest.mark.parametrize("cli", [None, CLI_V2], ids=["v1", "v2"])
def test_thing_types_and_listings(broker, account, cli):
    aws = Aws(broker, account, cli=cli)
    iot = aws.boto3()
    properties = "thingTypeDescription=light bulb type,searchableAttributes=wattage,model"
    aws.iot("create-thing-type", "--thing-type-name", "LightBulb", "--thing-type-properties", properties)
    for n in range(5):
        payload = {"attributes": {"wattage": f"{n}0", "model": "123"}}
        iot.create_thing(thingName=f"bulb-{n}", thingTypeName="LightBulb", attributePayload=payload)
    aws.iot("create-thing", "--thing-name", "plain", "--attribute-payload", '{"attributes":{"wattage":"1"}}')
    seen = aws.iot("describe-thing-type", "--thing-type-name", "LightBulb")
    assert sorted(seen["thingTypeProperties"]["searchableAttributes"]) == ["model", "wattage"]
    assert seen["thingTypeMetadata"]["deprecated"] is False and "deprecationDate" not in seen["thingTypeMetadata"]
    assert [t["thingTypeName"] for t in iot.list_thing_types()["thingTypes"]] == ["LightBulb"]

    def things(*arguments):
        return [thing["thingName"] for thing in aws.iot("list-things", *arguments)["things"]]

    def found(**arguments):
        pages = iot.get_paginator("list_things").paginate(**arguments, PaginationConfig={"PageSize": 2})
        return [thing["thingName"] for page in pages for thing in page["things"]]

    bulbs = [f"bulb-{n}" for n in range(5)]
    assert things("--page-size", 2) == [*bulbs, "plain"] == found()
    assert things("--attribute-name", "model", "--attribute-value", "123", "--thing-type-name", "LightBulb", "--page-size", 1) == bulbs
    assert found(thingTypeName="LightBulb") == bulbs and found(attributeName="wattage", attributeValue="10") == ["bulb-1"]
    assert found(attributeName="wattage", attributeValue="1", usePrefixAttributeValue=True) == ["plain", "bulb-1"]
    (item,) = iot.list_things(attributeName="wattage", attributeValue="10")["things"]
    assert item["attributes"] == {"wattage": "10", "model": "123"} and item["thingTypeName"] == "LightBulb" and item["version"] == 1

    aws.iot("deprecate-thing-type", "--thing-type-name", "LightBulb")
    with pytest.raises(AwsError, match="Please wait for 5 minutes after deprecation and then retry"):
        aws.iot("delete-thing-type", "--thing-type-name", "LightBulb")
    with pytest.raises(AwsError, match="Can not create new thing with deprecated thing type:LightBulb"):
        aws.iot("create-thing", "--thing-name", "late", "--thing-type-name", "LightBulb")
    aws.iot("deprecate-thing-type", "--thing-type-name", "LightBulb", "--undo-deprecate")
    iot.create_thing(thingName="late", thingTypeName="LightBulb")
    with pytest.raises(ClientError, match="Can only update mqtt5Configuration"):
        iot.update_thing_type(thingTypeName="LightBulb", thingTypeProperties={"searchableAttributes": ["product"]})


def test_messages_carry_what_the_thing_type_names(broker, aws, ca):
    iot = aws.boto3("iot")
    name = f"enriched-{uuid.uuid4().hex[:8]}"
    propagating = [
        {"userPropertyKey": "room", "thingAttribute": "room"},
        {"userPropertyKey": "missing", "thingAttribute": "floor"},
        {"userPropertyKey": "client", "connectionAttribute": "iot:ClientId"},
        {"userPropertyKey": "thing", "connectionAttribute": "iot:Thing.ThingName"},
    ]
    iot.create_thing_type(thingTypeName=name, thingTypeProperties={"mqtt5Configuration": {"propagatingAttributes": propagating}})
    iot.create_thing(thingName=name, thingTypeName=name, attributePayload={"attributes": {"room": "9"}})
    register_ca(aws, ca)
    device = ca.sign(name)
    arn = register(aws, device)
    aws.iot("attach-policy", "--policy-name", allow_all(aws), "--target", arn)

    def properties(**options):
        with Client(broker, device, version=V5) as listener, Client(broker, device, client_id=name, **options) as client:
            listener.subscribe(f"{name}/t", 1)
            client.publish(f"{name}/t", b"x", 1)
            return getattr(listener.message().properties, "UserProperty", [])

    assert properties() == []  # not attached
    iot.attach_thing_principal(thingName=name, principal=arn)
    expected = [("room", "9"), ("client", name), ("thing", name)]
    assert properties() == expected and properties(version=V5) == expected
    with Client(broker, device, version=V5) as listener, Client(broker, device, client_id=name, version=V5) as client:
        listener.subscribe(f"{name}/t", 1)
        client.publish(f"{name}/t", b"x", 1, properties=properties_of_publish(UserProperty=[("own", "1")]))
        assert listener.message().properties.UserProperty == [("own", "1"), *expected]
        iot.update_thing(thingName=name, attributePayload={"attributes": {"room": "10"}, "merge": True})
        client.publish(f"{name}/t", b"x", 1)
        assert listener.message().properties.UserProperty == [("room", "10"), *expected[1:]]
        fewer = {"mqtt5Configuration": {"propagatingAttributes": propagating[:1]}}
        iot.update_thing_type(thingTypeName=name, thingTypeProperties=fewer)
        client.publish(f"{name}/t", b"x", 1)
        assert listener.message().properties.UserProperty == [("room", "10")]
        iot.update_thing_type(thingTypeName=name, thingTypeProperties={"mqtt5Configuration": {"propagatingAttributes": []}})
        client.publish(f"{name}/t", b"x", 1)
        assert getattr(listener.message().properties, "UserProperty", []) == []
