"""Every served operation answers as its service model says, byte for byte of the body.

`SCENARIO` is the life of two accounts' things, one row a call. An operation without a row fails; so does one whose answer
has a member too many or too few, of a wrong type, outside its bounds, or a date in another form.
"""

import json

import pytest
from botocore import xform_name

from support.aws import Aws
from support.broker import wait_for
from support.functions import lambda_arn
from support.iam import EVERYTHING, make_user
from support.model import answer_problems, problems, served
from support.mqtt import Client, Closed
from support.pki import Ca, new_key, openssl

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]})
TAGS = [{"Key": "floor", "Value": "2"}]


class World:
    """Two accounts, what they made so far, and all that was answered."""

    def __init__(self, broker, directory):
        self.accounts = [Aws(broker, broker.create_account()) for _ in range(2)]
        self.broker, self.clients, self.devices = broker, {}, {}
        self.ca, self.other_ca = Ca(directory / "one", "Model CA"), Ca(directory / "two", "Model CA two")
        new_key(directory / "csr.key")
        openssl("req", "-new", "-key", directory / "csr.key", "-subj", "/CN=model", "-out", directory / "csr.pem")
        self.csr = (directory / "csr.pem").read_text()
        openssl("genrsa", "-out", directory / "token.key", "2048")
        openssl("rsa", "-in", directory / "token.key", "-pubout", "-out", directory / "token.pub")
        self.public_key = (directory / "token.pub").read_text()
        self.kept, self.answers = {}, []

    def __getattr__(self, name):
        try:
            return self.__dict__["kept"][name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def arn(self):
        first = self.accounts[0]
        return f"arn:aws:iot:{first.region}:{first.account.account_id}:"

    def pem(self, ca=None):
        return (ca or self.ca).sign("model").certificate.read_text()

    def connected(self, client_id):
        """Has a device of the first account connect, under its policy `p`; its client id."""
        if client_id not in self.devices:
            made = self.ca.sign(client_id)
            arn = self.client("iot", 0).register_certificate(certificatePem=made.certificate.read_text(), status="ACTIVE")["certificateArn"]
            self.client("iot", 0).attach_policy(policyName="p", target=arn)
            self.devices[client_id] = Client(self.broker, made, client_id=client_id).connect()
            self.devices[client_id].subscribe("a/b", 1)
            self.client("iot", 0).detach_policy(policyName="p", target=arn)
        return client_id

    def role(self):
        return f"arn:aws:iam::{self.accounts[0].account.account_id}:role/operator"

    def trust(self):
        principal = {"AWS": self.accounts[0].account.account_id}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def a_stream(self):
        """The log stream of a refused client: its entry is there a moment later."""
        try:
            Client(self.broker, self.ca.sign("stranger"), sni=None).connect()
        except Closed:
            pass
        streams = lambda: self.client("logs", 0).describe_log_streams(logGroupName="AWSIotLogsV2")["logStreams"]  # noqa: E731
        return wait_for(streams, "an entry in the log")[0]["logStreamName"]

    def client(self, service, account):
        if (service, account) not in self.clients:
            aws = make_user(self.accounts[0], "assumer", EVERYTHING) if account == "user" else self.accounts[account]
            client = aws.boto3(service)
            note = lambda response_dict, event_name, **_: self.note(service, event_name, response_dict)  # noqa: E731
            client.meta.events.register("response-received", note, unique_id=f"{service}-{account}")
            self.clients[service, account] = client
        return self.clients[service, account]

    def note(self, service, event_name, response):
        operation = event_name.rsplit(".", 1)[1]
        if response is not None:
            self.answers.append(((service, operation), response))

    def play(self, row):
        client = self.client(row.service, row.account)
        arguments = row.arguments(self) if callable(row.arguments) else row.arguments
        try:
            answer = getattr(client, xform_name(row.operation))(**arguments)
        except client.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == row.refused, f"{row.operation}: {error}"
            return
        assert row.refused is None, f"{row.operation} was not refused: {answer}"
        if row.keep:
            self.kept[row.keep] = answer


class Row:
    """A call: arguments as a dict, or made from the world; `keep` names its answer, `refused` is the error it must get;
    `account` is which of the two, or `user`: a user of the first."""

    def __init__(self, operation, arguments=None, *, keep=None, refused=None, account=0, service="iot"):
        self.operation, self.arguments, self.keep = operation, arguments or {}, keep
        self.refused, self.account, self.service = refused, account, service


NOBODY = "0" * 64

SCENARIO = [
    Row("GetCallerIdentity", service="sts"),
    Row("DescribeEndpoint", {"endpointType": "iot:Data-ATS"}),
    # CA certificates
    Row("GetRegistrationCode", keep="code"),
    Row("RegisterCACertificate", lambda w: {"caCertificate": w.ca.certificate.read_text(), "verificationCertificate": w.ca.verification(w.code["registrationCode"]).read_text(), "setAsActive": True, "allowAutoRegistration": True, "tags": TAGS, "registrationConfig": {"templateName": "t"}}, keep="registered"),
    Row("RegisterCACertificate", lambda w: {"caCertificate": w.ca.certificate.read_text(), "verificationCertificate": w.ca.verification(w.code["registrationCode"]).read_text()}, refused="ResourceAlreadyExistsException"),
    Row("RegisterCACertificate", lambda w: {"caCertificate": w.other_ca.certificate.read_text(), "certificateMode": "SNI_ONLY"}),
    Row("DescribeCACertificate", lambda w: {"certificateId": w.ca.certificate_id}),
    Row("DescribeCACertificate", {"certificateId": NOBODY}, refused="ResourceNotFoundException"),
    Row("UpdateCACertificate", lambda w: {"certificateId": w.other_ca.certificate_id, "newStatus": "INACTIVE", "newAutoRegistrationStatus": "DISABLE"}),
    Row("ListCACertificates", {"pageSize": 1}),
    Row("DeleteCACertificate", lambda w: {"certificateId": w.ca.certificate_id}, refused="CertificateStateException"),
    Row("DeleteRegistrationCode"),
    Row("DeleteRegistrationCode", refused="ResourceNotFoundException"),
    # Device certificates
    Row("CreateKeysAndCertificate", {"setAsActive": True}, keep="keys"),
    Row("CreateCertificateFromCsr", lambda w: {"certificateSigningRequest": w.csr}, keep="from_csr"),
    Row("RegisterCertificate", lambda w: {"certificatePem": w.pem(), "status": "ACTIVE"}, keep="with_ca"),
    Row("RegisterCertificate", lambda w: {"certificatePem": "-----BEGIN CERTIFICATE-----"}, refused="CertificateValidationException"),
    Row("RegisterCertificateWithoutCA", lambda w: {"certificatePem": w.pem(w.other_ca), "status": "INACTIVE"}, keep="without_ca"),
    Row("DescribeCertificate", lambda w: {"certificateId": w.with_ca["certificateId"]}),
    Row("DescribeCertificate", lambda w: {"certificateId": w.keys["certificateId"]}),
    Row("ListCertificates", {"pageSize": 2}),
    Row("ListCertificates"),
    Row("ListCertificatesByCA", lambda w: {"caCertificateId": w.ca.certificate_id}),
    Row("UpdateCertificate", lambda w: {"certificateId": w.from_csr["certificateId"], "newStatus": "ACTIVE"}),
    Row("UpdateCertificate", lambda w: {"certificateId": w.from_csr["certificateId"], "newStatus": "PENDING_TRANSFER"}, refused="CertificateStateException"),
    # Policies
    Row("CreatePolicy", {"policyName": "p", "policyDocument": POLICY, "tags": TAGS}),
    Row("CreatePolicy", {"policyName": "p", "policyDocument": POLICY}, refused="ResourceAlreadyExistsException"),
    Row("CreatePolicy", {"policyName": "q", "policyDocument": "{"}, refused="MalformedPolicyException"),
    Row("CreatePolicyVersion", {"policyName": "p", "policyDocument": POLICY}),
    Row("SetDefaultPolicyVersion", {"policyName": "p", "policyVersionId": "2"}),
    Row("GetPolicy", {"policyName": "p"}),
    Row("GetPolicyVersion", {"policyName": "p", "policyVersionId": "1"}),
    Row("ListPolicies"),
    Row("ListPolicyVersions", {"policyName": "p"}),
    Row("DeletePolicyVersion", {"policyName": "p", "policyVersionId": "1"}),
    Row("AttachPolicy", lambda w: {"policyName": "p", "target": w.keys["certificateArn"]}),
    Row("AttachPrincipalPolicy", lambda w: {"policyName": "p", "principal": w.with_ca["certificateArn"]}),
    Row("ListAttachedPolicies", lambda w: {"target": w.keys["certificateArn"], "recursive": True}),
    Row("ListPrincipalPolicies", lambda w: {"principal": w.keys["certificateArn"]}),
    Row("ListTargetsForPolicy", {"policyName": "p"}),
    Row("ListPolicyPrincipals", {"policyName": "p"}),
    Row("GetEffectivePolicies", lambda w: {"principal": w.keys["certificateArn"]}),
    Row("TestAuthorization", lambda w: {"principal": w.keys["certificateArn"], "clientId": "c", "authInfos": [{"actionType": "CONNECT", "resources": [w.arn + "client/c"]}]}),
    Row("TestAuthorization", lambda w: {"authInfos": [{"actionType": "CONNECT", "resources": [w.arn + "client/c"]}]}),
    Row("TestAuthorization", lambda w: {"cognitoIdentityPoolId": "p", "authInfos": [{"actionType": "CONNECT", "resources": ["x"]}]}, refused="InvalidRequestException"),
    Row("DeletePolicy", {"policyName": "p"}, refused="DeleteConflictException"),
    Row("DetachPrincipalPolicy", lambda w: {"policyName": "p", "principal": w.with_ca["certificateArn"]}),
    # Things
    Row("CreateThingType", {"thingTypeName": "bulb", "thingTypeProperties": {"thingTypeDescription": "gives light", "searchableAttributes": ["floor"], "mqtt5Configuration": {"propagatingAttributes": [{"userPropertyKey": "floor", "thingAttribute": "floor"}]}}, "tags": TAGS}),
    Row("CreateThingType", {"thingTypeName": "bulb"}, refused="ResourceAlreadyExistsException"),
    Row("CreateThingType", {"thingTypeName": "plain"}),
    Row("DescribeThingType", {"thingTypeName": "bulb"}),
    Row("DescribeThingType", {"thingTypeName": "nobody"}, refused="ResourceNotFoundException"),
    Row("UpdateThingType", {"thingTypeName": "bulb", "thingTypeProperties": {"mqtt5Configuration": {"propagatingAttributes": [{"userPropertyKey": "id", "connectionAttribute": "iot:ClientId"}]}}}),
    Row("UpdateThingType", {"thingTypeName": "bulb", "thingTypeProperties": {"thingTypeDescription": "d"}}, refused="InvalidRequestException"),
    Row("CreateThing", {"thingName": "desk", "thingTypeName": "bulb"}),
    Row("DeprecateThingType", {"thingTypeName": "bulb"}),
    Row("DescribeThingType", {"thingTypeName": "bulb"}),
    Row("ListThingTypes", {"maxResults": 1}),
    Row("ListThingTypes"),
    Row("DeleteThingType", {"thingTypeName": "bulb"}, refused="InvalidRequestException"),
    Row("DeprecateThingType", {"thingTypeName": "bulb", "undoDeprecate": True}),
    Row("CreateThing", {"thingName": "lamp", "attributePayload": {"attributes": {"floor": "2"}}}, keep="thing"),
    Row("CreateThing", {"thingName": "lamp"}, refused="ResourceAlreadyExistsException"),
    Row("DescribeThing", {"thingName": "lamp"}),
    Row("DescribeThing", {"thingName": "nobody"}, refused="ResourceNotFoundException"),
    Row("UpdateThing", {"thingName": "lamp", "attributePayload": {"attributes": {"room": "9"}, "merge": True}}),
    Row("UpdateThing", {"thingName": "lamp", "expectedVersion": 77}, refused="VersionConflictException"),
    Row("ListThings", {"maxResults": 1}),
    Row("ListThings", {"attributeName": "room", "attributeValue": "9"}),
    Row("ListThings", {"attributeValue": "9"}, refused="InvalidRequestException"),
    Row("AttachThingPrincipal", lambda w: {"thingName": "lamp", "principal": w.keys["certificateArn"]}),
    Row("GetEffectivePolicies", lambda w: {"principal": w.keys["certificateArn"], "thingName": "lamp"}),
    Row("GetEffectivePolicies", {"thingName": "nobody"}, refused="ResourceNotFoundException"),
    Row("ListThingPrincipals", {"thingName": "lamp"}),
    Row("ListThingPrincipalsV2", {"thingName": "lamp"}),
    Row("ListPrincipalThings", lambda w: {"principal": w.keys["certificateArn"]}),
    Row("ListPrincipalThingsV2", lambda w: {"principal": w.keys["certificateArn"]}),
    Row("DetachThingPrincipal", lambda w: {"thingName": "lamp", "principal": w.keys["certificateArn"]}),
    # Thing groups
    Row("CreateThingGroup", {"thingGroupName": "house"}),
    Row("CreateThingGroup", {"thingGroupName": "floor", "parentGroupName": "house", "thingGroupProperties": {"thingGroupDescription": "d", "attributePayload": {"attributes": {"a": "b"}}}, "tags": TAGS}),
    Row("DescribeThingGroup", {"thingGroupName": "floor"}),
    Row("DescribeThingGroup", {"thingGroupName": "nobody"}, refused="ResourceNotFoundException"),
    Row("UpdateThingGroup", {"thingGroupName": "floor", "thingGroupProperties": {"thingGroupDescription": "e"}}),
    Row("ListThingGroups", {"maxResults": 1}),
    Row("DeleteThingGroup", {"thingGroupName": "house"}, refused="InvalidRequestException"),
    Row("AddThingToThingGroup", {"thingGroupName": "floor", "thingName": "lamp"}),
    Row("AddThingToThingGroup", lambda w: {"thingGroupArn": w.arn + "thinggroup/house", "thingArn": w.arn + "thing/lamp"}, refused="InvalidRequestException"),
    Row("AddThingToThingGroup", {"thingGroupName": "nobody", "thingName": "lamp"}, refused="ResourceNotFoundException"),
    Row("ListThingGroupsForThing", {"thingName": "lamp"}),
    Row("ListThingsInThingGroup", {"thingGroupName": "house", "recursive": True}),
    Row("ListThingsInThingGroup", {"thingGroupName": "nobody"}, refused="ResourceNotFoundException"),
    Row("UpdateThingGroupsForThing", {"thingName": "lamp", "thingGroupsToAdd": ["house"], "thingGroupsToRemove": ["floor"], "overrideDynamicGroups": True}),
    Row("RemoveThingFromThingGroup", {"thingGroupName": "house", "thingName": "lamp"}),
    Row("AttachPolicy", lambda w: {"policyName": "p", "target": w.arn + "thinggroup/house"}),
    Row("ListAttachedPolicies", lambda w: {"target": w.arn + "thinggroup/floor", "recursive": True}),
    Row("ListTargetsForPolicy", {"policyName": "p"}),
    Row("DetachPolicy", lambda w: {"policyName": "p", "target": w.arn + "thinggroup/house"}),
    Row("DeleteThingGroup", {"thingGroupName": "floor"}),
    Row("DeleteThing", {"thingName": "lamp"}),
    # Events
    Row("DescribeEventConfigurations"),
    Row("UpdateEventConfigurations", {"eventConfigurations": {"THING": {"Enabled": True}, "JOB": {"Enabled": False}}}),
    Row("DescribeEventConfigurations"),
    # Tags
    Row("TagResource", lambda w: {"resourceArn": w.arn + "policy/p", "tags": [{"Key": "room", "Value": "9"}]}),
    Row("ListTagsForResource", lambda w: {"resourceArn": w.arn + "policy/p"}),
    Row("UntagResource", lambda w: {"resourceArn": w.arn + "policy/p", "tagKeys": ["room"]}),
    Row("ListTagsForResource", lambda w: {"resourceArn": w.arn + "policy/nobody"}, refused="ResourceNotFoundException"),
    # Transfers
    Row("TransferCertificate", lambda w: {"certificateId": w.without_ca["certificateId"], "targetAwsAccount": w.accounts[1].account.account_id, "transferMessage": "yours"}),
    Row("ListOutgoingCertificates"),
    Row("DescribeCertificate", lambda w: {"certificateId": w.without_ca["certificateId"]}),
    Row("CancelCertificateTransfer", lambda w: {"certificateId": w.without_ca["certificateId"]}),
    Row("TransferCertificate", lambda w: {"certificateId": w.without_ca["certificateId"], "targetAwsAccount": w.accounts[1].account.account_id}),
    Row("RejectCertificateTransfer", lambda w: {"certificateId": w.without_ca["certificateId"], "rejectReason": "no"}, account=1),
    Row("DescribeCertificate", lambda w: {"certificateId": w.without_ca["certificateId"]}),
    Row("TransferCertificate", lambda w: {"certificateId": w.without_ca["certificateId"], "targetAwsAccount": w.accounts[1].account.account_id}),
    Row("AcceptCertificateTransfer", lambda w: {"certificateId": w.without_ca["certificateId"], "setAsActive": True}, account=1),
    Row("AcceptCertificateTransfer", lambda w: {"certificateId": w.without_ca["certificateId"]}, account=1, refused="TransferAlreadyCompletedException"),
    Row("DescribeCertificate", lambda w: {"certificateId": w.without_ca["certificateId"]}, account=1),
    # Data plane
    Row("Publish", {"topic": "a/b", "qos": 1, "retain": True, "payload": b"x", "userProperties": '[{"a": "b"}]'}, service="iot-data"),
    Row("Publish", {"topic": "a/#"}, service="iot-data", refused="InvalidRequestException"),
    Row("GetRetainedMessage", {"topic": "a/b"}, service="iot-data"),
    Row("GetRetainedMessage", {"topic": "nothing"}, service="iot-data", refused="ResourceNotFoundException"),
    Row("ListRetainedMessages", {"maxResults": 1}, service="iot-data"),
    Row("ListSubscriptions", lambda w: {"clientId": w.connected("model")}, service="iot-data"),
    Row("ListSubscriptions", {"clientId": "nobody"}, service="iot-data", refused="ResourceNotFoundException"),
    Row("GetConnection", lambda w: {"clientId": w.connected("model"), "includeSocketInformation": True}, service="iot-data"),
    Row("GetConnection", {"clientId": "nobody"}, service="iot-data", refused="ResourceNotFoundException"),
    Row("DeleteConnection", lambda w: {"clientId": w.connected("model"), "cleanSession": True}, service="iot-data"),
    Row("DeleteConnection", {"clientId": "model"}, service="iot-data", refused="ResourceNotFoundException"),
    Row("UpdateThingShadow", {"thingName": "lamp", "shadowName": "n", "payload": b'{"state": {"desired": {"on": true}}}'}, service="iot-data"),
    Row("UpdateThingShadow", {"thingName": "lamp", "shadowName": "n", "payload": b'{"state": {}, "version": 7}'}, service="iot-data", refused="ConflictException"),
    Row("GetThingShadow", {"thingName": "lamp", "shadowName": "n"}, service="iot-data"),
    Row("GetThingShadow", {"thingName": "lamp"}, service="iot-data", refused="ResourceNotFoundException"),
    Row("ListNamedShadowsForThing", {"thingName": "lamp", "pageSize": 1}, service="iot-data"),
    Row("DeleteThingShadow", {"thingName": "lamp", "shadowName": "n"}, service="iot-data"),
    # Users, roles and their policies
    Row("CreateUser", {"UserName": "alice", "Path": "/team/"}, service="iam"),
    Row("CreateUser", {"UserName": "Alice"}, service="iam", refused="EntityAlreadyExists"),
    Row("CreateUser", {"UserName": "bob", "Tags": TAGS}, service="iam", refused="InvalidInput"),
    Row("GetUser", {"UserName": "alice"}, service="iam"),
    Row("GetUser", {"UserName": "nobody"}, service="iam", refused="NoSuchEntity"),
    Row("ListUsers", {"PathPrefix": "/team/", "MaxItems": 10}, service="iam"),
    Row("CreateAccessKey", {"UserName": "alice"}, service="iam", keep="access_key"),
    Row("CreateAccessKey", service="iam"),
    Row("ListAccessKeys", {"UserName": "alice"}, service="iam"),
    Row("GetAccessKeyLastUsed", lambda w: {"AccessKeyId": w.access_key["AccessKey"]["AccessKeyId"]}, service="iam"),
    Row("GetAccessKeyLastUsed", {"AccessKeyId": "AKIANOBODYNOBODYNOBO"}, service="iam", refused="AccessDenied"),
    Row("UpdateAccessKey", lambda w: {"UserName": "alice", "AccessKeyId": w.access_key["AccessKey"]["AccessKeyId"], "Status": "Inactive"}, service="iam"),
    Row("DeleteUser", {"UserName": "alice"}, service="iam", refused="DeleteConflict"),
    Row("DeleteAccessKey", lambda w: {"UserName": "alice", "AccessKeyId": w.access_key["AccessKey"]["AccessKeyId"]}, service="iam"),
    Row("DeleteAccessKey", lambda w: {"UserName": "alice", "AccessKeyId": w.access_key["AccessKey"]["AccessKeyId"]}, service="iam", refused="NoSuchEntity"),
    Row("PutUserPolicy", {"UserName": "alice", "PolicyName": "own", "PolicyDocument": POLICY}, service="iam"),
    Row("PutUserPolicy", {"UserName": "alice", "PolicyName": "own", "PolicyDocument": "{"}, service="iam", refused="MalformedPolicyDocument"),
    Row("GetUserPolicy", {"UserName": "alice", "PolicyName": "own"}, service="iam"),
    Row("ListUserPolicies", {"UserName": "alice"}, service="iam"),
    Row("CreatePolicy", {"PolicyName": "managed", "PolicyDocument": POLICY, "Description": "for all"}, service="iam", keep="managed"),
    Row("GetPolicy", lambda w: {"PolicyArn": w.managed["Policy"]["Arn"]}, service="iam"),
    Row("GetPolicyVersion", lambda w: {"PolicyArn": w.managed["Policy"]["Arn"], "VersionId": "v1"}, service="iam"),
    Row("GetPolicyVersion", lambda w: {"PolicyArn": w.managed["Policy"]["Arn"], "VersionId": "v2"}, service="iam", refused="NoSuchEntity"),
    Row("ListPolicies", {"Scope": "All"}, service="iam"),
    Row("AttachUserPolicy", lambda w: {"UserName": "alice", "PolicyArn": w.managed["Policy"]["Arn"]}, service="iam"),
    Row("ListAttachedUserPolicies", {"UserName": "alice"}, service="iam"),
    Row("DeletePolicy", lambda w: {"PolicyArn": w.managed["Policy"]["Arn"]}, service="iam", refused="DeleteConflict"),
    Row("DetachUserPolicy", lambda w: {"UserName": "alice", "PolicyArn": w.managed["Policy"]["Arn"]}, service="iam"),
    Row("DeleteUserPolicy", {"UserName": "alice", "PolicyName": "own"}, service="iam"),
    Row("DeleteUser", {"UserName": "alice"}, service="iam"),
    Row("CreateRole", lambda w: {"RoleName": "operator", "AssumeRolePolicyDocument": w.trust(), "Description": "d"}, service="iam"),
    Row("GetRole", {"RoleName": "operator"}, service="iam"),
    Row("ListRoles", service="iam"),
    Row("PutRolePolicy", {"RoleName": "operator", "PolicyName": "own", "PolicyDocument": POLICY}, service="iam"),
    Row("GetRolePolicy", {"RoleName": "operator", "PolicyName": "own"}, service="iam"),
    Row("ListRolePolicies", {"RoleName": "operator"}, service="iam"),
    Row("AttachRolePolicy", lambda w: {"RoleName": "operator", "PolicyArn": w.managed["Policy"]["Arn"]}, service="iam"),
    Row("ListAttachedRolePolicies", {"RoleName": "operator"}, service="iam"),
    Row("AssumeRole", lambda w: {"RoleArn": w.role(), "RoleSessionName": "session"}, service="sts", refused="AccessDenied"),
    Row("AssumeRole", lambda w: {"RoleArn": w.role(), "RoleSessionName": "session", "Policy": POLICY}, service="sts", account="user"),
    Row("GetSessionToken", service="sts"),
    Row("DetachRolePolicy", lambda w: {"RoleName": "operator", "PolicyArn": w.managed["Policy"]["Arn"]}, service="iam"),
    Row("DeleteRole", {"RoleName": "operator"}, service="iam", refused="DeleteConflict"),
    Row("DeleteRolePolicy", {"RoleName": "operator", "PolicyName": "own"}, service="iam"),
    Row("DeleteRole", {"RoleName": "operator"}, service="iam"),
    Row("DeletePolicy", lambda w: {"PolicyArn": w.managed["Policy"]["Arn"]}, service="iam"),
    # Audit trail
    Row("LookupEvents", {"MaxResults": 2}, service="cloudtrail"),
    Row("LookupEvents", {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": "x"}]}, service="cloudtrail", refused="InvalidLookupAttributesException"),
    Row("LookupEvents", {"NextToken": "x"}, service="cloudtrail", refused="InvalidNextTokenException"),
    Row("LookupEvents", {"EventCategory": "insight"}, service="cloudtrail", refused="InvalidEventCategoryException"),
    # Logs
    Row("GetV2LoggingOptions", refused="NotConfiguredException"),
    Row("ListV2LoggingLevels", refused="NotConfiguredException"),
    Row("SetV2LoggingLevel", {"logTarget": {"targetType": "CLIENT_ID", "targetName": "c"}, "logLevel": "INFO"}, refused="NotConfiguredException"),
    Row("SetLoggingOptions", {"loggingOptionsPayload": {"roleArn": "arn:aws:iam::123456789012:role/r", "logLevel": "ERROR"}}),
    Row("GetLoggingOptions"),
    Row("SetV2LoggingOptions", {"roleArn": "arn:aws:iam::123456789012:role/r", "defaultLogLevel": "INFO", "eventConfigurations": [{"eventType": "Ping", "logLevel": "DEBUG"}]}),
    Row("SetV2LoggingOptions", {"eventConfigurations": [{"eventType": "Ping", "logDestination": "elsewhere"}]}, refused="InvalidRequestException"),
    Row("GetV2LoggingOptions", {"verbose": True}),
    Row("SetV2LoggingLevel", {"logTarget": {"targetType": "CLIENT_ID", "targetName": "c"}, "logLevel": "INFO"}),
    Row("SetV2LoggingLevel", {"logTarget": {"targetType": "CLIENT_ID"}, "logLevel": "INFO"}, refused="InvalidRequestException"),
    Row("ListV2LoggingLevels", {"maxResults": 1}),
    Row("DeleteV2LoggingLevel", {"targetType": "CLIENT_ID", "targetName": "c"}),
    Row("DescribeLogGroups", service="logs"),
    Row("DescribeLogStreams", {"logGroupName": "AWSIotLogsV2"}, service="logs"),
    Row("DescribeLogStreams", {"logGroupName": "nobody"}, refused="ResourceNotFoundException", service="logs"),
    Row("FilterLogEvents", {"logGroupName": "AWSIotLogsV2", "filterPattern": '{ $.eventType = "Connect" }'}, service="logs"),
    Row("FilterLogEvents", {"logGroupName": "AWSIotLogsV2", "filterPattern": "%x%"}, refused="InvalidParameterException", service="logs"),
    Row("GetLogEvents", lambda w: {"logGroupName": "AWSIotLogsV2", "logStreamName": w.a_stream()}, service="logs"),
    Row("GetLogEvents", {"logGroupName": "AWSIotLogsV2", "logStreamName": "x"}, refused="ResourceNotFoundException", service="logs"),
    # Custom authorizers
    Row("CreateAuthorizer", lambda w: {"authorizerName": "au", "authorizerFunctionArn": lambda_arn(w.accounts[0], "process"), "signingDisabled": True, "status": "ACTIVE", "enableCachingForHttp": True, "tags": TAGS}),
    Row("CreateAuthorizer", {"authorizerName": "au", "authorizerFunctionArn": "f", "signingDisabled": True}, refused="ResourceAlreadyExistsException"),
    Row("CreateAuthorizer", {"authorizerName": "signed", "authorizerFunctionArn": "f"}, refused="InvalidRequestException"),
    Row("CreateAuthorizer", lambda w: {"authorizerName": "signed", "authorizerFunctionArn": "f", "tokenKeyName": "token", "tokenSigningPublicKeys": {"k": w.public_key}}),
    Row("DescribeAuthorizer", {"authorizerName": "au"}),
    Row("DescribeAuthorizer", {"authorizerName": "signed"}),
    Row("DescribeAuthorizer", {"authorizerName": "nobody"}, refused="ResourceNotFoundException"),
    Row("ListAuthorizers", {"pageSize": 1}),
    Row("ListAuthorizers", {"status": "INACTIVE", "ascendingOrder": True}),
    Row("ListTagsForResource", lambda w: {"resourceArn": w.arn + "authorizer/au"}),
    Row("UpdateAuthorizer", {"authorizerName": "signed", "tokenKeyName": "other"}),
    Row("DescribeDefaultAuthorizer", refused="ResourceNotFoundException"),
    Row("SetDefaultAuthorizer", {"authorizerName": "au"}),
    Row("SetDefaultAuthorizer", {"authorizerName": "signed"}, refused="ResourceAlreadyExistsException"),
    Row("DescribeDefaultAuthorizer"),
    Row("TestInvokeAuthorizer", {"authorizerName": "au", "token": "t", "mqttContext": {"username": "u", "password": b"p", "clientId": "c"}, "tlsContext": {"serverName": "h"}, "httpContext": {"headers": {"a": "b"}, "queryString": "?c=d"}}),
    Row("TestInvokeAuthorizer", {"authorizerName": "au", "mqttContext": {"username": "deny"}}),
    Row("TestInvokeAuthorizer", {"authorizerName": "au", "mqttContext": {"username": "garbage"}}, refused="InvalidResponseException"),
    Row("TestInvokeAuthorizer", {"authorizerName": "signed", "token": "t"}, refused="InvalidRequestException"),
    Row("DeleteAuthorizer", {"authorizerName": "au"}, refused="DeleteConflictException"),
    Row("ClearDefaultAuthorizer"),
    Row("UpdateAuthorizer", {"authorizerName": "au", "status": "INACTIVE"}),
    Row("DeleteAuthorizer", {"authorizerName": "au"}),
    Row("DeleteAuthorizer", {"authorizerName": "signed"}),
    # Domain configurations
    Row("CreateDomainConfiguration", {"domainConfigurationName": "made-up", "serviceType": "DATA", "tags": TAGS}),
    Row("CreateDomainConfiguration", {"domainConfigurationName": "own", "domainName": "mqtt.model.example", "tlsConfig": {"securityPolicy": "IoTSecurityPolicy_TLS13_1_3_2022_10"}, "authenticationType": "AWS_X509", "applicationProtocol": "SECURE_MQTT", "authorizerConfig": {"allowAuthorizerOverride": True}, "serverCertificateConfig": {"enableOCSPCheck": False}}),
    Row("CreateDomainConfiguration", {"domainConfigurationName": "own"}, refused="ResourceAlreadyExistsException"),
    Row("CreateDomainConfiguration", {"domainConfigurationName": "other", "domainName": "mqtt.model.example"}, refused="ResourceAlreadyExistsException"),
    Row("CreateDomainConfiguration", {"domainConfigurationName": "other", "domainName": "localhost"}, refused="InvalidRequestException"),
    Row("CreateDomainConfiguration", {"domainConfigurationName": "other", "tlsConfig": {"securityPolicy": "none"}}, refused="InvalidRequestException"),
    Row("CreateDomainConfiguration", {"domainConfigurationName": "other", "serviceType": "JOBS"}, refused="InvalidRequestException"),
    Row("CreateDomainConfiguration", {"domainConfigurationName": "other", "serverCertificateConfig": {"enableOCSPCheck": True}}, refused="InvalidRequestException"),
    Row("CreateDomainConfiguration", {"domainConfigurationName": "other", "clientCertificateConfig": {"clientCertificateCallbackArn": "f"}}, refused="InvalidRequestException"),
    Row("CreateDomainConfiguration", lambda w: {"domainConfigurationName": "other", "domainName": "other.model.example", "serverCertificateArns": [w.arn.replace(":iot:", ":acm:") + "certificate/none"]}, refused="CertificateValidationException"),
    Row("DescribeDomainConfiguration", {"domainConfigurationName": "made-up"}),
    Row("DescribeDomainConfiguration", {"domainConfigurationName": "own"}),
    Row("DescribeDomainConfiguration", {"domainConfigurationName": "iot:Jobs"}, refused="ResourceNotFoundException"),
    Row("ListDomainConfigurations", {"pageSize": 1}),
    Row("ListDomainConfigurations", {"serviceType": "DATA"}),
    Row("ListDomainConfigurations", {"serviceType": "CREDENTIAL_PROVIDER"}),
    Row("UpdateDomainConfiguration", {"domainConfigurationName": "own", "domainConfigurationStatus": "DISABLED", "removeAuthorizerConfig": True, "tlsConfig": {"securityPolicy": "IoTSecurityPolicy_TLS12_1_2_2022_10"}}),
    Row("UpdateDomainConfiguration", {"domainConfigurationName": "iot:Data-ATS", "domainConfigurationStatus": "DISABLED"}, refused="InvalidRequestException"),
    Row("UpdateDomainConfiguration", {"domainConfigurationName": "nothing"}, refused="ResourceNotFoundException"),
    Row("DeleteDomainConfiguration", {"domainConfigurationName": "made-up"}, refused="InvalidRequestException"),
    Row("DeleteDomainConfiguration", {"domainConfigurationName": "own"}),
    Row("DeleteDomainConfiguration", {"domainConfigurationName": "own"}, refused="ResourceNotFoundException"),
    Row("UpdateDomainConfiguration", {"domainConfigurationName": "made-up", "domainConfigurationStatus": "DISABLED"}),
    Row("DeleteDomainConfiguration", {"domainConfigurationName": "made-up"}),
    # The end
    Row("DetachPolicy", lambda w: {"policyName": "p", "target": w.keys["certificateArn"]}),
    Row("DeletePolicy", {"policyName": "p"}),
    Row("DeleteCertificate", lambda w: {"certificateId": w.keys["certificateId"]}, refused="CertificateStateException"),
    Row("UpdateCertificate", lambda w: {"certificateId": w.keys["certificateId"], "newStatus": "REVOKED"}),
    Row("DeleteCertificate", lambda w: {"certificateId": w.keys["certificateId"]}),
    Row("DeleteCACertificate", lambda w: {"certificateId": w.other_ca.certificate_id}),
]  # fmt: skip

#: What succeeds only after a wait that no test waits: a thing type is deleted five minutes after its deprecation.
SUCCEEDS_LATER = {"DeleteThingType"}

SERVED = [(service, operation) for service in ("iot", "iot-data", "sts", "iam", "logs", "cloudtrail") for operation in served(service)]


@pytest.fixture(scope="module")
def answers(broker, tmp_path_factory):
    """The scenario, played once: operation → its answers, raw."""
    world = World(broker, tmp_path_factory.mktemp("model"))
    for row in SCENARIO:
        world.play(row)
    by_operation = {}
    for operation, response in world.answers:
        by_operation.setdefault(operation, []).append(response)
    return by_operation


@pytest.mark.parametrize(("service", "operation"), SERVED, ids=lambda value: value)
def test_an_operation_answers_as_its_model_says(answers, service, operation):
    assert (service, operation) in answers, f"{operation} of {service} is served and has no row in SCENARIO"
    given = answers[service, operation]
    if operation not in SUCCEEDS_LATER:
        assert any(response["status_code"] < 300 for response in given), "no call succeeded"
    for response in given:
        assert answer_problems(service, operation, response) == [], response["body"]


@pytest.mark.parametrize(
    ("shape", "value", "wrong"),
    [
        ("CertificateDescription", {"certificateId": "ab" * 32, "status": "ACTIVE", "creationDate": 1790000000.123}, None),
        ("CertificateDescription", {"certificateId": "ab"}, "characters"),
        ("CertificateDescription", {"certificateId": "zz" * 32}, "is not"),
        ("CertificateDescription", {"status": "LIVELY"}, "is none of"),
        ("CertificateDescription", {"creationDate": 1790000000123}, "no seconds"),
        ("CertificateDescription", {"creationDate": "2026-11-28T00:00:00Z"}, "not a number of seconds"),
        ("CertificateDescription", {"creationDate": 1790000000.12345}, "more than milliseconds"),
        ("CertificateDescription", {"creationDate": None}, "not a number of seconds"),
        ("CertificateDescription", {"customerVersion": "1"}, "not an integer"),
        ("CertificateDescription", {"customerVersion": 0}, "as a number"),
        ("CertificateDescription", {"certificateID": "ab" * 32}, "no member certificateID"),
        ("CertificateDescription", [], "not an object"),
        ("ListTagsForResourceResponse", {"tags": [{"Value": "v"}]}, "tags[0]: Key is missing"),
        ("ListTagsForResourceResponse", {"tags": [{"Key": "ä ü", "Value": "v"}]}, None),
        ("ListTagsForResourceResponse", {"tags": [{"Key": "a!b", "Value": "v"}]}, "is not"),
        ("ListTagsForResourceResponse", {"tags": {}}, "not a list"),
        ("GetPolicyVersionResponse", {"isDefaultVersion": "true"}, "not a boolean"),
        ("DescribeThingResponse", {"attributes": {"a b": "c"}}, "key"),
        ("DescribeThingResponse", {"attributes": {"a": 1}}, "not a string"),
    ],
)
def test_the_check_finds_what_is_wrong(shape, value, wrong):
    found = problems("iot", shape, value)
    assert (wrong is None and found == []) or (wrong and len(found) == 1 and wrong in found[0]), found
