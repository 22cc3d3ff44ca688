"""Certificates that move between two accounts, through the unmodified `aws` CLI of both generations."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from support.aws import CLI_V1, CLI_V2, Aws, AwsError, allow_all, describe
from support.pki import Ca

REGION = "us-west-2"


@pytest.fixture
def other(broker):
    """A second account of the same region."""
    return Aws(broker, broker.create_account())


def refusal(call, *arguments):
    with pytest.raises(AwsError) as caught:
        call(*arguments)
    return caught.value.code


def register(aws, device):
    """RegisterCertificateWithoutCA; the id."""
    return aws.iot("register-certificate-without-ca", "--certificate-pem", f"file://{device.certificate}")["certificateId"]


def transfer(aws, certificate_id, to, *options):
    return aws.iot("transfer-certificate", "--certificate-id", certificate_id, "--target-aws-account", to, *options)


def of(certificate_id):
    return ("--certificate-id", certificate_id)


def outgoing(aws):
    return aws.iot("list-outgoing-certificates")["outgoingCertificates"]


def test_the_walk_of_the_guide_from_offer_to_acceptance(aws, other, ca, account):
    device = ca.sign("mover")
    certificate_id = register(aws, device)
    arn = describe(aws, certificate_id)["certificateArn"]
    policy = allow_all(aws)
    aws.iot("attach-policy", "--policy-name", policy, "--target", arn)
    aws.iot("update-certificate", *of(certificate_id), "--new-status", "ACTIVE")
    target = other.account.account_id
    assert refusal(transfer, aws, certificate_id, target) == "CertificateStateException"
    aws.iot("update-certificate", *of(certificate_id), "--new-status", "INACTIVE")
    assert refusal(transfer, aws, certificate_id, target) == "TransferConflictException"
    attached = aws.iot("list-attached-policies", "--target", arn)["policies"]
    aws.iot("detach-policy", "--policy-name", attached[0]["policyName"], "--target", arn)
    made = transfer(aws, certificate_id, target, "--transfer-message", "yours now")
    assert made == {"transferredCertificateArn": f"arn:aws:iot:{aws.region}:{target}:cert/{certificate_id}"}
    (out,) = outgoing(aws)
    assert out["transferredTo"] == target and out["transferMessage"] == "yours now" and out["certificateId"] == certificate_id
    for end in (aws, other):
        api = end.boto3()
        seen = api.describe_certificate(certificateId=certificate_id)["certificateDescription"]
        assert seen["status"] == "PENDING_TRANSFER" and seen["ownedBy"] == account.account_id
        assert seen["transferData"]["transferMessage"] == "yours now"
        assert [c["status"] for c in api.list_certificates()["certificates"]] == ["PENDING_TRANSFER"]
        with pytest.raises(api.exceptions.CertificateStateException):
            api.update_certificate(certificateId=certificate_id, newStatus="ACTIVE")
        with pytest.raises(api.exceptions.CertificateStateException):
            api.delete_certificate(certificateId=certificate_id, forceDelete=True)
    assert other.boto3().list_outgoing_certificates()["outgoingCertificates"] == []
    with pytest.raises(ClientError, match="InvalidRequestException"):
        aws.boto3().attach_policy(policyName=policy, target=arn)
    other.iot("accept-certificate-transfer", *of(certificate_id), "--set-as-active")
    assert refusal(aws.iot, "describe-certificate", *of(certificate_id)) == "ResourceNotFoundException"
    assert outgoing(aws) == [] and aws.iot("list-certificates")["certificates"] == []
    seen = describe(other, certificate_id)
    assert (seen["status"], seen["ownedBy"], seen["previousOwnedBy"]) == ("ACTIVE", target, account.account_id)
    assert seen["certificateArn"] == made["transferredCertificateArn"]
    assert {"transferDate", "acceptDate"} <= seen["transferData"].keys()
    for end, call in ((other, "accept"), (other, "reject"), (aws, "cancel")):
        assert refusal(end.iot, f"{call}-certificate-transfer", *of(certificate_id)) == "TransferAlreadyCompletedException"


def test_rejected_and_cancelled_certificates_come_back_and_wrong_calls_change_nothing(aws, other, ca):
    giver, receiver, target = aws.boto3(), other.boto3(), other.account.account_id
    pem = ca.sign("mover").certificate.read_text()
    one = {"certificateId": giver.register_certificate_without_ca(certificatePem=pem)["certificateId"]}

    def refused(call, **arguments):
        with pytest.raises(ClientError) as caught:
            call(**one, **arguments)
        return caught.value.response["Error"]["Code"]

    def described():
        return giver.describe_certificate(**one)["certificateDescription"]

    for end in (giver, receiver):
        for call in (end.accept_certificate_transfer, end.reject_certificate_transfer, end.cancel_certificate_transfer):
            assert refused(call) == "ResourceNotFoundException"
    own = aws.account.account_id
    assert refused(receiver.transfer_certificate, targetAwsAccount=own) == "ResourceNotFoundException"
    assert refused(giver.transfer_certificate, targetAwsAccount=own) == "InvalidRequestException"
    giver.transfer_certificate(**one, targetAwsAccount=target)
    assert refused(giver.transfer_certificate, targetAwsAccount="000000000000") == "CertificateStateException"
    for call in (giver.accept_certificate_transfer, giver.reject_certificate_transfer, receiver.cancel_certificate_transfer):
        assert refused(call) == "ResourceNotFoundException"
    receiver.reject_certificate_transfer(**one, rejectReason="not mine")
    seen = described()
    assert seen["status"] == "INACTIVE" and seen["transferData"]["rejectReason"] == "not mine" and "rejectDate" in seen["transferData"]
    assert refused(receiver.describe_certificate) == "ResourceNotFoundException"
    giver.transfer_certificate(**one, targetAwsAccount=target)
    giver.cancel_certificate_transfer(**one)
    seen = described()
    assert seen["status"] == "INACTIVE" and not seen.get("transferData")
    receiver.register_certificate_without_ca(certificatePem=pem)
    assert refused(giver.transfer_certificate, targetAwsAccount=target) == "TransferConflictException"


def test_statuses_and_messages_are_those_of_the_model(aws, other, ca):
    certificate_id, iot = register(aws, ca.sign("mover")), aws.boto3()
    target = other.account.account_id
    for wrong in ({"certificateId": "x" * 64}, {"transferMessage": "m" * 129}, {"targetAwsAccount": "12345678901x"}):
        client = aws.boto3()
        client.meta.config.parameter_validation = False
        arguments = {"certificateId": certificate_id, "targetAwsAccount": target} | wrong
        with pytest.raises(client.exceptions.InvalidRequestException):
            client.transfer_certificate(**arguments)
    iot.transfer_certificate(certificateId=certificate_id, targetAwsAccount=target, transferMessage="m" * 128)
    with pytest.raises(iot.exceptions.CertificateStateException) as caught:
        iot.transfer_certificate(certificateId=certificate_id, targetAwsAccount=target)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 406 and certificate_id in str(caught.value)
    receiving = other.boto3()
    receiving.accept_certificate_transfer(certificateId=certificate_id)
    assert receiving.describe_certificate(certificateId=certificate_id)["certificateDescription"]["status"] == "INACTIVE"
    with pytest.raises(receiving.exceptions.TransferAlreadyCompletedException) as caught:
        receiving.accept_certificate_transfer(certificateId=certificate_id)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410


def test_the_example_of_the_cli_reference_answers_to_the_letter(own_broker, tmp_path):
    to = own_broker.create_account("030714055129").account_id
    ca = Ca(tmp_path / "pki", "Mover")
    commands = {"v1": CLI_V1, "v2": CLI_V2}
    ids = {name: register(Aws(own_broker, region=REGION), ca.sign(name)) for name in commands}

    def walk(name):
        cli = Aws(own_broker, cli=commands[name], region=REGION)
        answer = cli.iot("transfer-certificate", *of(ids[name]), "--target-aws-account", to, "--transfer-message", "hello")
        assert answer == {"transferredCertificateArn": f"arn:aws:iot:us-west-2:030714055129:cert/{ids[name]}"}
        cli.iot("cancel-certificate-transfer", *of(ids[name]))
        document = {"certificateId": ids[name], "targetAwsAccount": to, "transferMessage": "from a document"}
        assert cli.iot("transfer-certificate", "--cli-input-json", json.dumps(document)) == answer
        (out,) = [c for c in outgoing(cli) if c["certificateId"] == ids[name]]
        assert out["transferMessage"] == "from a document"
        return True

    with ThreadPoolExecutor() as pool:
        assert all(pool.map(walk, commands))
