"""Who may use the API: IAM users, their keys and policies; roles and sessions; and who may not."""

import json
from datetime import UTC, datetime

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from support.aws import CLI_V2, Aws, AwsError
from support.broker import Broker
from support.iam import EVERYTHING, document, make_user, refused, with_key
from support.model import model, served

READ_ONLY = "arn:aws:iam::aws:policy/AWSIoTConfigReadOnlyAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
TRANSFER = ["AcceptCertificateTransfer", "CancelCertificateTransfer", "ListOutgoingCertificates", "RejectCertificateTransfer", "TransferCertificate"]
SERVED = [(service, operation) for service in ("iot", "iot-data", "iam", "sts", "logs", "cloudtrail") for operation in served(service)]
#: What AWS asks no permission for.
FREE = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}
CERTIFICATE = "0" * 64


def some_input(service, shape, at=""):
    """The least that botocore sends for a shape."""
    known = model(service)["shapes"][shape]
    if at in ("certificateId", "caCertificateId"):
        return CERTIFICATE
    if "enum" in known:
        return known["enum"][0]
    match known["type"]:
        case "structure":
            members = known.get("members", {})
            return {name: some_input(service, members[name]["shape"], name) for name in known.get("required", [])}
        case "list":
            return [some_input(service, known["member"]["shape"])]
        case "map":
            return {}
        case "integer" | "long":
            return known.get("min", 1)
        case "blob":
            return b"x"
        case _:
            return "x" * max(1, known.get("min", 1))


@pytest.fixture(scope="module")
def keys(broker):
    """Three users of one account: one reads, one transfers, one may do all; and a role that all could take on."""
    root = Aws(broker, broker.create_account())
    iam = root.boto3("iam")
    transfer = {"Effect": "Allow", "Action": [f"iot:{operation}" for operation in TRANSFER], "Resource": "*"}
    users = {"reader": make_user(root, "reader"), "transferrer": make_user(root, "transferrer", transfer), "administrator": make_user(root, "administrator")}
    iam.attach_user_policy(UserName="reader", PolicyArn=READ_ONLY)
    iam.attach_user_policy(UserName="administrator", PolicyArn=ADMINISTRATOR)
    trust = {"Effect": "Allow", "Principal": {"AWS": root.account.account_id}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    reads = json.dumps(iam.get_policy_version(PolicyArn=READ_ONLY, VersionId="v8")["PolicyVersion"]["Document"])
    return users, role, reads


@pytest.mark.parametrize(("service", "operation"), SERVED, ids=lambda value: value)
def test_every_operation_is_decided_for_a_reader_a_transferrer_and_an_administrator(keys, service, operation):
    users, role, reads = keys
    allowed = {
        "reader": service == "iot" and f'"iot:{operation}"' in reads,
        "transferrer": service == "iot" and operation in TRANSFER,
        "administrator": True,
    }
    shape = model(service)["operations"][operation].get("input", {}).get("shape")
    arguments = some_input(service, shape) if shape else {}
    if operation == "GetAccessKeyLastUsed":
        arguments["AccessKeyId"] = users["reader"].account.access_key_id  # of one that is not there it says AccessDenied
    if "RoleArn" in arguments:
        arguments["RoleArn"] = role
    for name, user in users.items():
        client = user.boto3(service)
        try:
            getattr(client, xform_name(operation))(**arguments)
            code, message = None, None
        except ClientError as error:
            code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        denied = code in ("AccessDeniedException", "AccessDenied", "ForbiddenException")
        assert denied != (allowed[name] or (service, operation) in FREE), f"{name}: {code}: {message}"
        if denied:
            prefix = "iot" if service == "iot-data" else service
            assert message.startswith(f"User: arn:aws:iam::{user.account.account_id}:user/{name} is not authorized to perform: {prefix}:{operation} on resource: "), message


def test_a_decision_is_by_action_resource_and_effect(aws):
    mine = aws.boto3().create_keys_and_certificate(setAsActive=True)
    other = aws.boto3().create_keys_and_certificate(setAsActive=True)
    arn, other_arn = mine["certificateArn"], other["certificateArn"]
    allow = {"Effect": "Allow", "Action": "iot:DescribeCertificate", "Resource": arn}
    user = make_user(aws, "u", allow)
    me = f"arn:aws:iam::{aws.account.account_id}:user/u"
    iot, iam = user.boto3(), aws.boto3("iam")
    iot.describe_certificate(certificateId=mine["certificateId"])
    no_statement = f"User: {me} is not authorized to perform: iot:DescribeCertificate on resource: {other_arn} because no identity-based policy allows the iot:DescribeCertificate action"
    with refused("AccessDeniedException", no_statement):
        iot.describe_certificate(certificateId=other["certificateId"])
    # Nobody learns what exists from whom they may not ask.
    with refused("AccessDeniedException", "because no identity-based policy allows"):
        iot.describe_certificate(certificateId=CERTIFICATE)
    deny = {"Effect": "Deny", "Action": "iot:Describe*", "Resource": "*"}
    iam.put_user_policy(UserName="u", PolicyName="more", PolicyDocument=document(deny))
    with refused("AccessDeniedException", f"on resource: {arn} with an explicit deny in an identity-based policy"):
        iot.describe_certificate(certificateId=mine["certificateId"])
    iam.delete_user_policy(UserName="u", PolicyName="more")
    iot.describe_certificate(certificateId=mine["certificateId"])
    foreign = allow | {"Resource": arn.replace(aws.account.account_id, "999999999999")}
    iam.put_user_policy(UserName="u", PolicyName="own", PolicyDocument=document(foreign))
    with refused("AccessDeniedException"):
        iot.describe_certificate(certificateId=mine["certificateId"])


def test_an_operation_on_several_resources_needs_all_of_them(aws):
    iot, prefix = aws.boto3(), f"arn:aws:iot:{aws.region}:{aws.account.account_id}:"
    iot.create_thing(thingName="t")
    iot.create_thing_group(thingGroupName="g")
    one = {"Effect": "Allow", "Action": "iot:AddThingToThingGroup", "Resource": prefix + "thing/t"}
    user = make_user(aws, "u", one)
    with refused("AccessDeniedException", f"on resource: {prefix}thinggroup/g because"):
        user.boto3().add_thing_to_thing_group(thingName="t", thingGroupName="g")
    # The same by ARN, whatever the name beside it.
    with refused("AccessDeniedException", f"on resource: {prefix}thinggroup/g because"):
        user.boto3().add_thing_to_thing_group(thingArn=prefix + "thing/t", thingGroupArn=prefix + "thinggroup/g")
    both = one | {"Resource": [prefix + "thing/t", prefix + "thinggroup/g"]}
    aws.boto3("iam").put_user_policy(UserName="u", PolicyName="own", PolicyDocument=document(both))
    user.boto3().add_thing_to_thing_group(thingName="t", thingGroupName="g")


@pytest.mark.parametrize(
    ("condition", "allows"),
    [
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2099-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, False),
        ({"NumericGreaterThan": {"aws:EpochTime": "1700000000"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:SecureTransport": "false"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/u"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/v"}}, False),
        ({"StringEquals": {"aws:username": "u"}}, True),
        ({"StringEquals": {"aws:username": "v"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, True),
        ({"StringEquals": {"aws:RequestedRegion": "us-west-2"}}, False),
        ({"StringEquals": {"aws:RequestTag/floor": "2"}}, True),
        ({"StringEquals": {"aws:RequestTag/floor": "3"}}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["floor", "room"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["room"]}}, False),
        ({"StringEquals": {"aws:ResourceTag/floor": "1"}}, False),
    ],
)
def test_conditions_know_the_request(aws, condition, allows):
    statement = {"Effect": "Allow", "Action": "iot:CreateThingType", "Resource": "*", "Condition": condition}
    create = make_user(aws, "u", statement).boto3().create_thing_type
    arguments = {"thingTypeName": "t", "tags": [{"Key": "floor", "Value": "2"}]}
    if allows:
        create(**arguments)
    else:
        with refused("AccessDeniedException"):
            create(**arguments)


def test_a_condition_knows_the_resources_tags(aws):
    aws.boto3().create_policy(policyName="p", policyDocument=document({"Effect": "Allow", "Action": "iot:*", "Resource": "*"}), tags=[{"Key": "team", "Value": "a"}])
    statement = {"Effect": "Allow", "Action": "iot:GetPolicy", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}
    iot = make_user(aws, "u", statement).boto3()
    iot.get_policy(policyName="p")
    aws.boto3().tag_resource(resourceArn=f"arn:aws:iot:{aws.region}:{aws.account.account_id}:policy/p", tags=[{"Key": "team", "Value": "b"}])
    with refused("AccessDeniedException"):
        iot.get_policy(policyName="p")


def test_variables_in_a_policy_are_the_signers(aws):
    own = {"Effect": "Allow", "Action": ["iam:*AccessKey*"], "Resource": f"arn:aws:iam::{aws.account.account_id}:user/${{aws:username}}"}
    alice, bob = make_user(aws, "alice", own), make_user(aws, "bob", own)
    assert [key["UserName"] for key in alice.boto3("iam").list_access_keys()["AccessKeyMetadata"]] == ["alice"]
    with refused("AccessDenied", ":user/bob because no identity-based policy allows the iam:ListAccessKeys action"):
        alice.boto3("iam").list_access_keys(UserName="bob")
    bob.boto3("iam").create_access_key(UserName="bob")


def test_scripts_make_users_with_the_newer_cli(aws):
    root = Aws(aws.broker, aws.account, CLI_V2)
    root("iam", "create-user", "--user-name", "u")
    root("iam", "put-user-policy", "--user-name", "u", "--policy-name", "own", "--policy-document", document(EVERYTHING))
    user = with_key(root, root("iam", "create-access-key", "--user-name", "u")["AccessKey"])
    assert user("iam", "get-user-policy", "--user-name", "u", "--policy-name", "own")["PolicyDocument"] == json.loads(document(EVERYTHING))


def test_scripts_make_users_with_the_cli(aws):
    root, name = aws, "u"
    made = root("iam", "create-user", "--user-name", name, "--path", "/robots/")["User"]
    assert made["Arn"] == f"arn:aws:iam::{aws.account.account_id}:user/robots/{name}"
    assert made["UserId"].startswith("AIDA") and len(made["UserId"]) == 21
    root("iam", "attach-user-policy", "--user-name", name, "--policy-arn", "arn:aws:iam::aws:policy/AWSIoTFullAccess")
    root("iam", "put-user-policy", "--user-name", name, "--policy-name", "own", "--policy-document", document(EVERYTHING))
    assert root("iam", "get-user-policy", "--user-name", name, "--policy-name", "own")["PolicyDocument"] == json.loads(document(EVERYTHING))
    user = with_key(root, root("iam", "create-access-key", "--user-name", name)["AccessKey"])
    assert user("sts", "get-caller-identity") == {"UserId": made["UserId"], "Account": aws.account.account_id, "Arn": made["Arn"]}
    assert user("iot", "list-things")["things"] == []
    [key] = root("iam", "list-access-keys", "--user-name", name)["AccessKeyMetadata"]
    assert (key["AccessKeyId"], key["Status"]) == (user.account.access_key_id, "Active")
    root("iam", "update-access-key", "--user-name", name, "--access-key-id", key["AccessKeyId"], "--status", "Inactive")
    for service, operation, code in [("iot", "list-things", "UnrecognizedClientException"), ("sts", "get-caller-identity", "InvalidClientTokenId")]:
        with pytest.raises(AwsError, match="The security token included in the request is invalid") as error:
            user(service, operation)
        assert error.value.code == code
    root("iam", "update-access-key", "--user-name", name, "--access-key-id", key["AccessKeyId"], "--status", "Active")
    user("iot", "list-things")
    root("iam", "delete-access-key", "--user-name", name, "--access-key-id", key["AccessKeyId"])
    with pytest.raises(AwsError, match="UnrecognizedClientException"):
        user("iot", "list-things")
    root("iam", "delete-user-policy", "--user-name", name, "--policy-name", "own")
    root("iam", "detach-user-policy", "--user-name", name, "--policy-arn", "arn:aws:iam::aws:policy/AWSIoTFullAccess")
    root("iam", "delete-user", "--user-name", name)
    assert root("iam", "list-users")["Users"] == []


def test_limits_and_conflicts_are_iams(aws):
    iam = aws.boto3("iam")
    assert iam.get_user()["User"]["Arn"] == f"arn:aws:iam::{aws.account.account_id}:root"
    iam.create_user(UserName="u")
    for _ in range(2):
        iam.create_access_key(UserName="u")
    with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"):
        iam.create_access_key(UserName="u")
    with refused("DeleteConflict", "must delete access keys first"):
        iam.delete_user(UserName="u")
    long = {"Effect": "Allow", "Action": "iot:*", "Resource": ["arn:aws:iot:*:*:thing/" + "x" * 1000]}
    iam.put_user_policy(UserName="u", PolicyName="one", PolicyDocument=document(long))
    with refused("LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user u"):
        iam.put_user_policy(UserName="u", PolicyName="two", PolicyDocument=document(long))
    huge = document(*[long] * 6)
    with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144"):
        iam.create_policy(PolicyName="p", PolicyDocument=huge)
    for text, words in [
        ("{", "Syntax errors in policy"),
        (document(EVERYTHING | {"Principal": "*"}), "principal"),
        (document(EVERYTHING | {"Action": "everything"}), "Actions/Conditions must be prefaced by a vendor"),
        (document(EVERYTHING | {"Resource": "everything"}), "ARN format"),
        (document(EVERYTHING | {"Effect": "Perhaps"}), "Effect"),
        ("[" * 500 + "]" * 500, "Syntax errors in policy"),
    ]:
        with refused("MalformedPolicyDocument", words):
            iam.put_user_policy(UserName="u", PolicyName="bad", PolicyDocument=text)
    assert iam.list_user_policies(UserName="u")["PolicyNames"] == ["one"]
    foreign = "arn:aws:iam::999999999999:policy/p"
    with refused("NoSuchEntity", "does not exist or is not attachable"):
        iam.attach_user_policy(UserName="u", PolicyArn=foreign)
    for call in (iam.get_policy, iam.delete_policy):
        with refused("NoSuchEntity", foreign):
            call(PolicyArn=foreign)


def test_an_account_sees_nothing_of_anothers_users(broker, aws):
    make_user(aws, "u", EVERYTHING)
    arn = aws.boto3("iam").create_policy(PolicyName="p", PolicyDocument=document(EVERYTHING))["Policy"]["Arn"]
    other = Aws(broker, broker.create_account()).boto3("iam")
    assert other.list_users()["Users"] == [] and other.list_policies(Scope="Local")["Policies"] == []
    for call, arguments in [
        (other.get_user, {"UserName": "u"}),
        (other.delete_user, {"UserName": "u"}),
        (other.create_access_key, {"UserName": "u"}),
        (other.list_access_keys, {"UserName": "u"}),
        (other.put_user_policy, {"UserName": "u", "PolicyName": "p", "PolicyDocument": document(EVERYTHING)}),
        (other.delete_user_policy, {"UserName": "u", "PolicyName": "own"}),
        (other.get_policy, {"PolicyArn": arn}),
        (other.delete_policy, {"PolicyArn": arn}),
    ]:
        with refused("NoSuchEntity"):
            call(**arguments)


def test_users_survive_a_restart_with_their_rights(own_broker):
    root = Aws(own_broker)
    user = make_user(root, "u", {"Effect": "Allow", "Action": "iot:ListThings", "Resource": "*"})
    session = with_key(root, user.boto3("sts").get_session_token()["Credentials"])
    own_broker.kill()
    own_broker.start()
    for one in (Aws(own_broker, user.account), Aws(own_broker, session.account, session_token=session.session_token)):
        one.boto3().list_things()
        with refused("AccessDeniedException"):
            one.boto3().list_certificates()


# Sessions


def test_a_role_is_taken_on_by_whom_it_trusts(aws):
    iam, account = aws.boto3("iam"), aws.account.account_id
    ask = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    named, asking, nobody = make_user(aws, "named"), make_user(aws, "asking", ask), make_user(aws, "nobody")
    trusted = [f"arn:aws:iam::{account}:user/named", f"arn:aws:iam::{account}:root"]
    trust = {"Effect": "Allow", "Principal": {"AWS": trusted}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="operator", AssumeRolePolicyDocument=document(trust))["Role"]
    iam.put_role_policy(RoleName="operator", PolicyName="own", PolicyDocument=document({"Effect": "Allow", "Action": "iot:List*", "Resource": "*"}))
    for user in (named, asking):
        taken = user.boto3("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="night-shift")
        arn = f"arn:aws:sts::{account}:assumed-role/operator/night-shift"
        assert taken["AssumedRoleUser"] == {"Arn": arn, "AssumedRoleId": role["RoleId"] + ":night-shift"}
        assert taken["Credentials"]["AccessKeyId"].startswith("ASIA")
        session = with_key(aws, taken["Credentials"])
        identity = session.boto3("sts").get_caller_identity()
        assert (identity["Arn"], identity["UserId"]) == (arn, role["RoleId"] + ":night-shift")
        session.boto3().list_things()
        with refused("AccessDeniedException", f"User: {arn} is not authorized to perform: iot:DescribeThing on resource"):
            session.boto3().describe_thing(thingName="t")
    missing = f"arn:aws:iam::{account}:role/missing"
    for arn in (role["Arn"], missing):
        with refused("AccessDenied", f"User: arn:aws:iam::{account}:user/nobody is not authorized to perform: sts:AssumeRole on resource: {arn}"):
            nobody.boto3("sts").assume_role(RoleArn=arn, RoleSessionName="night-shift")
    with refused("AccessDenied", "Roles may not be assumed by root accounts."):
        aws.boto3("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="night-shift")
    with refused("ValidationError", "arn:aws:iam:nothing-like is invalid"):
        named.boto3("sts").assume_role(RoleArn="arn:aws:iam:nothing-like", RoleSessionName="night-shift")
    with refused("ValidationError", "MaxSessionDuration"):
        named.boto3("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="night-shift", DurationSeconds=7200)
    with refused("ValidationError", "Value 'a:2' at 'roleSessionName' failed to satisfy constraint"):
        named.boto3("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="a:2")
    # Both end at once.
    iam.delete_role_policy(RoleName="operator", PolicyName="own")
    with refused("AccessDeniedException"):
        session.boto3().list_things()
    iam.delete_role(RoleName="operator")
    with refused("UnrecognizedClientException"):
        session.boto3().list_things()


def test_a_role_of_another_account_needs_both_sides(broker, aws):
    other = Aws(broker, broker.create_account())
    trust = {"Effect": "Allow", "Principal": {"AWS": aws.account.account_id}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "shared"}}}
    role = other.boto3("iam").create_role(RoleName="guest", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    other.boto3("iam").attach_role_policy(RoleName="guest", PolicyArn=ADMINISTRATOR)
    other.boto3().create_thing(thingName="theirs")
    asking = make_user(aws, "asking", {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role})
    silent = make_user(aws, "silent")
    arguments = {"RoleArn": role, "RoleSessionName": "visitor", "ExternalId": "shared"}
    session = with_key(other, asking.boto3("sts").assume_role(**arguments)["Credentials"])
    assert [thing["thingName"] for thing in session.boto3().list_things()["things"]] == ["theirs"]
    for user, change in [(silent, {}), (asking, {"ExternalId": "guessed"})]:
        with refused("AccessDenied"):
            user.boto3("sts").assume_role(**arguments | change)


def test_a_session_policy_narrows(aws):
    user = make_user(aws, "u", EVERYTHING)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{aws.account.account_id}:user/u"}, "Action": "sts:AssumeRole"}
    role = aws.boto3("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    aws.boto3("iam").attach_role_policy(RoleName="r", PolicyArn=ADMINISTRATOR)
    only = document({"Effect": "Allow", "Action": "iot:ListThings", "Resource": "*"})
    session = with_key(aws, user.boto3("sts").assume_role(RoleArn=role, RoleSessionName="narrow", Policy=only)["Credentials"])
    session.boto3().list_things()
    with refused("AccessDeniedException", "because no session policy allows the iot:ListCertificates action"):
        session.boto3().list_certificates()
    with refused("MalformedPolicyDocument"):
        user.boto3("sts").assume_role(RoleArn=role, RoleSessionName="narrow", Policy="{")


def test_a_session_of_a_user_ends_with_its_key(aws):
    user = make_user(aws, "u", {"Effect": "Allow", "Action": "iot:ListThings", "Resource": "*"})
    session = with_key(aws, user.boto3("sts").get_session_token(DurationSeconds=900)["Credentials"])
    assert session.boto3("sts").get_caller_identity()["Arn"].endswith(":user/u")
    session.boto3().list_things()
    with refused("AccessDenied", "Cannot call GetSessionToken with session credentials"):
        session.boto3("sts").get_session_token()
    aws.boto3("iam").delete_access_key(UserName="u", AccessKeyId=user.account.access_key_id)
    with refused("UnrecognizedClientException"):
        session.boto3().list_things()
    root = with_key(aws, aws.boto3("sts").get_session_token()["Credentials"])
    assert root.boto3("sts").get_caller_identity()["Arn"].endswith(":root")
    root.boto3().list_things()


def test_a_changed_or_borrowed_token_is_none(aws):
    made = aws.boto3("sts").get_session_token()["Credentials"]
    token = made["SessionToken"]
    other = aws.boto3("sts").get_session_token()["Credentials"]
    flipped = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(3, len(token) - 2, 97)]
    for wrong in [*flipped, token[:-4], token + "AAAA", "x", other["SessionToken"], "A" * 20_000]:
        with refused("UnrecognizedClientException", "The security token included in the request is invalid."):
            with_key(aws, made | {"SessionToken": wrong}).boto3().list_things()
    with refused("UnrecognizedClientException"):
        with_key(aws, {**made, "SessionToken": None}).boto3().list_things()
    with refused("InvalidSignatureException"):
        with_key(aws, made | {"SecretAccessKey": other["SecretAccessKey"]}).boto3().list_things()
    # A long-lived key goes without a token.
    with refused("UnrecognizedClientException"):
        Aws(aws.broker, aws.account, session_token=token).boto3().list_things()


def test_the_last_use_of_a_key_is_told_with_service_and_region_and_outlives_a_restart(tmp_path):
    with Broker(tmp_path / "data") as broker:
        aws = Aws(broker)
        user = make_user(aws, "alice", EVERYTHING)
        key = {"AccessKeyId": user.account.access_key_id}
        last_used = lambda: aws.boto3("iam").get_access_key_last_used(**key)  # noqa: E731
        assert last_used() | {"ResponseMetadata": None} == {"UserName": "alice", "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"}, "ResponseMetadata": None}
        before = datetime.now(UTC).replace(microsecond=0)
        user.boto3().list_things()
        first = last_used()["AccessKeyLastUsed"]
        assert (first["ServiceName"], first["Region"]) == ("iot", aws.region)
        assert before <= first["LastUsedDate"] <= datetime.now(UTC)
        session = with_key(user, user.boto3("sts").get_session_token()["Credentials"])
        session.boto3().list_things()
        last = last_used()["AccessKeyLastUsed"]
        assert last["ServiceName"] == "sts", "a session's own key is another one"
        broker.stop()
        broker.start()
        aws = Aws(broker)
        assert last_used()["AccessKeyLastUsed"] == last
        with refused("AccessDenied", ":user/alice because"):
            make_user(aws, "bob").boto3("iam").get_access_key_last_used(**key)
        aws.boto3("iam").delete_access_key(UserName="alice", **key)
        with refused("AccessDenied", f"on resource: access key {key['AccessKeyId']}"):
            last_used()
