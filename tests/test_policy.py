"""What a policy allows, and what the client sees when it does not."""

import json
import subprocess

import pytest

from support.aws import activate, allow_all, create_policy, register_ca
from support.broker import PROGRAM, wait_for
from support.mqtt import V5, V311, Client, Closed
from support.pki import Ca


def statement(aws, action, *resources, effect="Allow"):
    prefix = f"arn:aws:iot:{aws.region}:{aws.account.account_id}:"
    return {"Effect": effect, "Action": action, "Resource": [prefix + r if r != "*" else r for r in resources]}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture
def device(aws, ca):
    """A registered, active certificate without a policy."""
    register_ca(aws, ca)
    made = ca.sign("press-7")
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    return made


def attach(aws, device, *statements, name="p"):
    activate(aws, device.certificate_id, create_policy(aws, name, document(*statements)))


def test_connect_is_allowed_for_the_client_ids_of_the_policy(broker, aws, device):
    attach(aws, device, statement(aws, "iot:Connect", "client/press-*"), statement(aws, "iot:Connect", "client/press-9", effect="Deny"))
    with Client(broker, device, "press-7"):
        pass
    for client_id in ("other", "press-9"):
        with pytest.raises(Closed):
            Client(broker, device, client_id).connect()
        with pytest.raises(Closed) as refused:
            Client(broker, device, client_id, V5).connect()
        assert getattr(refused.value.reason, "value", None) == 0x87
    entries = wait_for(lambda: broker.log_entries(eventType="Connect", clientId="press-9", reason="AUTHORIZATION_FAILURE"), "a log line")
    assert entries[0]["details"].startswith("policy p, version 1, statement 1 denies iot:Connect on "), entries


def test_a_denied_publish_closes_3_1_1_and_answers_5(broker, aws, device):
    attach(aws, device, statement(aws, "iot:Connect", "*"), statement(aws, "iot:Publish", "topic/allowed/*"))
    client = Client(broker, device).connect()
    client.publish("allowed/a", b"x")
    with pytest.raises(Closed):
        client.publish("denied", b"x")
    with Client(broker, device, version=V5) as client:
        assert client.publish("denied", b"x").value == 0x87
        assert not client.publish("allowed/a", b"x").is_failure
        client.publish("denied", b"x", qos=0)
        assert client.wait_closed().value == 0x87


def test_a_denied_subscription_is_told_so(broker, aws, device):
    attach(aws, device, statement(aws, "iot:Connect", "*"), statement(aws, "iot:Subscribe", "topicfilter/a/+/c", "topicfilter/t*"))
    for version, denied in ((V311, 0x80), (V5, 0x87)):
        with Client(broker, device, version=version) as client:
            codes = client.subscribe([("a/+/c", 1), ("a/b/c", 1), ("tx", 0), ("a/#", 1)] if version == V311 else "a/b/c")
            assert [c.value for c in codes] == ([1, denied, 0, denied] if version == V311 else [denied])


def test_receive_is_decided_on_delivery_and_follows_the_default_version(broker, aws, device):
    everything = [statement(aws, action, "*") for action in ("iot:Connect", "iot:Publish", "iot:Subscribe")]
    attach(aws, device, *everything, statement(aws, "iot:Receive", "topic/in/*", "topic/marker/*"))
    with Client(broker, device) as client:
        client.subscribe("#")
        client.publish("in/a", b"1")
        assert client.message().payload == b"1"
        client.publish("out/a", b"2")
        assert client.silent()
        without = json.dumps(document(*everything, statement(aws, "iot:Receive", "topic/marker/*")))
        aws.iot("create-policy-version", "--policy-name", "p", "--policy-document", without, "--set-as-default")
        client.publish("in/a", b"3")
        assert client.silent()


def test_variables_are_bound_to_the_connection(broker, aws, ca):
    register_ca(aws, ca)
    attach_to = document(
        statement(aws, "iot:Connect", "client/${iot:Certificate.Subject.CommonName}"),
        statement(aws, ["iot:Publish", "iot:Receive"], "topic/${iot:ClientId}/*"),
        statement(aws, "iot:Subscribe", "topicfilter/${iot:ClientId}/*"),
    )
    create_policy(aws, "own", attach_to)
    devices = {name: ca.sign(name) for name in ("press-7", "press-8", "star-*")}
    for made in devices.values():
        aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
        activate(aws, made.certificate_id, "own")
    with Client(broker, devices["press-7"], "press-7", V5) as client:
        assert not client.subscribe("press-7/#")[0].is_failure
        assert client.subscribe("press-8/#")[0].value == 0x87
        assert not client.publish("press-7/t", b"x").is_failure
        assert client.publish("press-8/t", b"x").value == 0x87
    with pytest.raises(Closed):
        Client(broker, devices["press-7"], "press-8").connect()
    for client_id in ("star-*", "star-7", "${iot:Certificate.Subject.CommonName}"):  # a `*` in the subject matches nothing
        with pytest.raises(Closed):
            Client(broker, devices["star-*"], client_id).connect()


def test_a_retained_publish_needs_its_own_permission(broker, aws, device):
    attach(aws, device, statement(aws, ["iot:Connect", "iot:Publish"], "*"), statement(aws, "iot:RetainPublish", "topic/kept/*"))
    with Client(broker, device, version=V5) as client:
        assert not client.publish("kept/a", b"x", retain=True).is_failure
        assert client.publish("a", b"x", retain=True).value == 0x87


def test_attaching_and_detaching_work_on_the_live_connection(broker, aws, device):
    attach(aws, device, statement(aws, "iot:Connect", "*"))
    allow_all(aws)
    arn = f"arn:aws:iot:{aws.region}:{aws.account.account_id}:cert/{device.certificate_id}"
    with Client(broker, device, version=V5) as client:
        assert client.publish("t", b"x").value == 0x87
        aws.iot("attach-policy", "--policy-name", "everything", "--target", arn)
        assert not client.publish("t", b"x").is_failure
        aws.iot("detach-policy", "--policy-name", "everything", "--target", arn)
        assert client.publish("t", b"x").value == 0x87


def test_a_policy_may_come_to_ask_what_the_certificate_of_a_live_connection_says(broker, aws, ca):
    register_ca(aws, ca)
    made = ca.sign("lamp-3")
    aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
    attach(aws, made, statement(aws, "iot:Connect", "*"))
    with Client(broker, made, "other", V5) as client:
        assert client.publish("of/lamp-3", b"x").value == 0x87
        asks = statement(aws, "iot:Publish", "topic/of/${iot:Certificate.Subject.CommonName}")
        connects = statement(aws, "iot:Connect", "*")
        asks["Condition"] = {"StringEquals": {"iot:certificate.subject.commonname": "lamp-3"}}
        asking = json.dumps(document(connects, asks))
        aws.iot("create-policy-version", "--policy-name", "p", "--policy-document", asking, "--set-as-default")
        assert not client.publish("of/lamp-3", b"x").is_failure
        assert client.publish("of/other", b"x").value == 0x87


def test_test_authorization_and_explain_say_what_live_traffic_gets(broker, aws, device):
    attach(
        aws,
        device,
        statement(aws, "iot:Connect", "client/${iot:Certificate.Subject.CommonName}"),
        statement(aws, "iot:Publish", "topic/rooms/${iot:ClientId}/*") | {"Sid": "Own"},
        statement(aws, "iot:Publish", "topic/rooms/*/secret", effect="Deny"),
        name="rooms",
    )
    arn = f"arn:aws:iot:{aws.region}:{aws.account.account_id}:"
    principal = f"{arn}cert/{device.certificate_id}"
    info = [{"actionType": "PUBLISH", "resources": [f"{arn}topic/rooms/press-7/{topic}"]} for topic in ("t", "secret")]
    info += [{"actionType": "CONNECT", "resources": [f"{arn}client/{client_id}"]} for client_id in ("press-7", "press-8")]
    tested = aws.iot(
        "test-authorization", "--principal", principal, "--client-id", "press-7", "--auth-infos", json.dumps(info)
    )["authResults"]  # fmt: skip
    assert [result["authDecision"] for result in tested] == ["ALLOWED", "EXPLICIT_DENY", "ALLOWED", "IMPLICIT_DENY"]
    assert [p["policyName"] for p in tested[1]["denied"]["explicitDeny"]["policies"]] == ["rooms"]
    effective = aws.iot("get-effective-policies", "--principal", principal)["effectivePolicies"]
    assert [policy["policyArn"] for policy in effective] == [f"{arn}policy/rooms"]

    with Client(broker, device, "press-7", V5) as client:
        assert not client.publish("rooms/press-7/t", b"x").is_failure
        assert client.publish("rooms/press-7/secret", b"x").value == client.publish("other", b"x").value == 0x87
    with pytest.raises(Closed):
        Client(broker, device, "press-8").connect()

    def explain(*arguments):
        return broker.run("explain", "--principal", principal, "--client-id", "press-7", *arguments)

    allowed = json.loads(explain("publish", "rooms/press-7/t", "--json").stdout)
    assert (allowed["decision"], allowed["decidedBy"][0]["sid"], allowed["decidedBy"][0]["policyVersionId"]) == ("ALLOWED", "Own", "1")
    assert "EXPLICIT_DENY" in explain("publish", "rooms/press-7/secret").stdout
    said = explain("publish", "rooms/press-8/t").stdout
    assert said.startswith("IMPLICIT_DENY") and f"resource  {arn}topic/rooms/press-7/*" in said, said
    assert "ALLOWED" in explain("connect").stdout
    unknown = broker.run("explain", "--principal", f"{arn}cert/{'ab' * 32}", "connect", "x", check=False)
    assert unknown.returncode == 1 and "was not found" in unknown.stderr, unknown.stderr


def test_what_a_policy_probably_does_not_mean_is_told(broker, aws, tmp_path):
    doubtful = json.dumps(document(statement(aws, "iot:Subscribe", "topicfilter/a/*")))
    create_policy(aws, "doubtful", json.loads(doubtful))
    warned = {"event_type": "PolicyLint", "policy_name": "doubtful", "account_id": aws.account.account_id}
    wait_for(lambda: broker.log_entries(**warned, policy_version_id="1", rule="wildcard-filter"), "the warning")
    aws.iot("create-policy-version", "--policy-name", "doubtful", "--policy-document", doubtful)
    wait_for(lambda: broker.log_entries(**warned, policy_version_id="2"), "the warning about version 2")

    good = tmp_path / "good.json"
    good.write_text(json.dumps(document(statement(aws, "iot:Subscribe", "topicfilter/a/+"))))
    bad = tmp_path / "bad.json"
    bad.write_text(doubtful)
    run = lambda path, *more: subprocess.run([PROGRAM, "lint-policy", path, *more], capture_output=True, text=True)  # noqa: E731
    assert (run(good).returncode, run(good).stdout) == (0, "")
    done = run(bad)
    assert done.returncode == 1 and done.stdout.startswith("statement 0: wildcard-filter: "), done
    assert json.loads(run(bad, "--json").stdout)[0]["rule"] == "wildcard-filter"
    assert run(tmp_path / "none.json").returncode == 1


def test_one_topic_name_in_two_accounts_never_meets(broker, tmp_path):
    from support.aws import Aws

    clients = []
    for name in ("one", "two"):
        aws = Aws(broker, broker.create_account())
        authority = Ca(tmp_path / name, name)
        register_ca(aws, authority)
        made = authority.sign("same")
        aws.iot("register-certificate", "--certificate-pem", f"file://{made.certificate}", "--status", "ACTIVE")
        activate(aws, made.certificate_id, allow_all(aws))
        client = Client(broker, made, "the-same-client-id").connect()
        client.subscribe("#")
        clients.append(client)
    one, two = clients
    one.publish("t", b"from one", retain=True)
    assert one.message().payload == b"from one"
    assert two.silent()
    two.publish("t", b"from two")
    assert two.message().payload == b"from two"
    assert not one.closed.is_set() and one.silent()
    for client in clients:
        client.close()
