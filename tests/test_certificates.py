"""States, refusals and deletion of certificates and CAs, through the API that AWS has."""

import json

import pytest

from support.aws import Aws, AwsError, activate, allow_all, create_policy, describe, register_ca
from support.broker import wait_for
from support.mqtt import V5, V311, Client, Closed
from support.pki import Ca, new_key, openssl


def refusal(call, *arguments):
    """The code and message of the error that the call ends in."""
    with pytest.raises(AwsError) as caught:
        call(*arguments)
    return caught.value.code, caught.value.message


def register(aws, device, status="INACTIVE"):
    """RegisterCertificate; the id."""
    made = aws.iot("register-certificate", "--certificate-pem", f"file://{device.certificate}", "--status", status)
    assert made["certificateId"] == device.certificate_id
    return device.certificate_id


def update(aws, certificate_id, status):
    aws.iot("update-certificate", "--certificate-id", certificate_id, "--new-status", status)


def test_the_registration_code_stays_until_it_is_deleted(aws):
    code = aws.iot("get-registration-code")["registrationCode"]
    assert len(code) == 64 and aws.iot("get-registration-code")["registrationCode"] == code
    aws.iot("delete-registration-code")
    assert aws.iot("get-registration-code")["registrationCode"] != code


def test_a_ca_needs_a_verification_certificate_that_proves_its_key(aws, ca, tmp_path):
    code = aws.iot("get-registration-code")["registrationCode"]
    attempt = lambda verification: refusal(  # noqa: E731
        aws.iot, "register-ca-certificate", "--ca-certificate", f"file://{ca.certificate}", "--verification-cert", f"file://{verification}"
    )
    assert attempt(ca.verification("0" * 64))[0] == "RegistrationCodeValidationException"
    assert attempt(Ca(tmp_path / "other", "Other").verification(code))[0] == "CertificateValidationException"
    leaf = ca.sign("no ca", extensions="basicConstraints=critical,CA:FALSE\n")
    code_, message = refusal(
        aws.iot, "register-ca-certificate", "--ca-certificate", f"file://{leaf.certificate}", "--verification-cert", f"file://{ca.verification(code)}"
    )
    assert code_ == "CertificateValidationException", message
    assert refusal(aws.iot, "register-ca-certificate", "--ca-certificate", f"file://{ca.certificate}")[0] in (
        "InvalidRequestException", "CertificateValidationException",
    )  # fmt: skip


def test_a_ca_is_registered_once_and_by_one_account(broker, aws, ca):
    ca_id = register_ca(aws, ca)
    code = aws.iot("get-registration-code")["registrationCode"]
    again = ("register-ca-certificate", "--ca-certificate", f"file://{ca.certificate}", "--verification-certificate")
    assert refusal(aws.iot, *again, f"file://{ca.verification(code)}")[0] == "ResourceAlreadyExistsException"
    with pytest.raises(aws.boto3().exceptions.ResourceAlreadyExistsException) as caught:
        aws.boto3().register_ca_certificate(caCertificate=ca.certificate.read_text(), verificationCertificate=ca.verification(code).read_text())
    assert caught.value.response["resourceId"] == ca_id
    other = Aws(broker, broker.create_account())
    code = other.iot("get-registration-code")["registrationCode"]
    assert refusal(other.iot, *again, f"file://{ca.verification(code)}") == ("InvalidRequestException", "Cannot accept this CACertificate")


def test_describe_ca_certificate_shows_every_member(aws, account, ca):
    ca_id = register_ca(aws, ca)
    described = aws.iot("describe-ca-certificate", "--certificate-id", ca_id)["certificateDescription"]
    assert described["certificateArn"] == f"arn:aws:iot:{aws.region}:{account.account_id}:cacert/{ca_id}"
    assert described["status"] == "ACTIVE" and described["autoRegistrationStatus"] == "ENABLE"
    assert described["ownedBy"] == account.account_id
    assert described["customerVersion"] == 1 and described["generationId"]
    assert described["certificateMode"] == "DEFAULT"
    assert described["certificatePem"].strip() == ca.certificate.read_text().strip()
    assert {"notBefore", "notAfter"} <= described["validity"].keys()
    aws.iot("update-ca-certificate", "--certificate-id", ca_id, "--new-status", "INACTIVE")
    described = aws.iot("describe-ca-certificate", "--certificate-id", ca_id)["certificateDescription"]
    assert described["customerVersion"] == 2


def test_a_ca_is_deleted_when_inactive_and_its_leaves_stay(aws, ca):
    ca_id = register_ca(aws, ca)
    device_id = register(aws, ca.sign("d"))
    assert refusal(aws.iot, "delete-ca-certificate", "--certificate-id", ca_id)[0] == "CertificateStateException"
    aws.iot("update-ca-certificate", "--certificate-id", ca_id, "--new-status", "INACTIVE")
    aws.iot("delete-ca-certificate", "--certificate-id", ca_id)
    assert refusal(aws.iot, "describe-ca-certificate", "--certificate-id", ca_id)[0] == "ResourceNotFoundException"
    assert describe(aws, device_id)["caCertificateId"] == ca_id


@pytest.mark.parametrize("service_only", ["PENDING_ACTIVATION", "PENDING_TRANSFER"])
def test_the_services_own_states_cannot_be_asked_for(aws, ca, service_only):
    register_ca(aws, ca)
    device_id = register(aws, ca.sign("d"))
    assert refusal(update, aws, device_id, service_only)[0] == "CertificateStateException"
    assert describe(aws, device_id)["status"] == "INACTIVE"


def test_revoked_is_final_and_repeating_a_status_changes_nothing(aws, ca):
    register_ca(aws, ca)
    device_id = register(aws, ca.sign("d"), "ACTIVE")
    update(aws, device_id, "ACTIVE")
    update(aws, device_id, "REVOKED")
    update(aws, device_id, "REVOKED")
    for status in ("ACTIVE", "INACTIVE"):
        assert refusal(update, aws, device_id, status)[0] == "CertificateStateException"
    aws.iot("delete-certificate", "--certificate-id", device_id)


def test_unknown_and_malformed_ids(aws):
    assert refusal(describe, aws, "ab" * 32)[0] == "ResourceNotFoundException"
    assert refusal(update, aws, "ab" * 32, "ACTIVE")[0] == "ResourceNotFoundException"
    assert refusal(describe, aws, "zz" * 32)[0] == "InvalidRequestException"


def test_deletion_follows_the_rules_and_the_words(aws, ca):
    register_ca(aws, ca)
    device_id = register(aws, ca.sign("d"), "ACTIVE")
    delete = ("delete-certificate", "--certificate-id", device_id)
    code, message = refusal(aws.iot, *delete)
    assert code == "CertificateStateException"
    assert message.startswith("Certificate must be deactivated (not ACTIVE) before deletion.") and device_id in message
    arn = activate(aws, device_id, allow_all(aws))
    update(aws, device_id, "INACTIVE")
    assert refusal(aws.iot, *delete) == ("DeleteConflictException", f"Certificate policies must be detached before deletion (arn: {arn})")
    aws.iot(*delete, "--force-delete")
    assert refusal(describe, aws, device_id)[0] == "ResourceNotFoundException"
    assert aws.iot("list-targets-for-policy", "--policy-name", "everything")["targets"] == []


def test_register_certificate_refuses_what_aws_refuses(broker, aws, ca, tmp_path):
    device = ca.sign("d")
    call = ("register-certificate", "--certificate-pem", f"file://{device.certificate}")
    code, message = refusal(aws.iot, *call, "--status", "ACTIVE")
    assert (code, message.split(".")[0]) == ("CertificateStateException", "No CA certificate exists for the given certificate")
    register_ca(aws, ca)
    assert refusal(aws.iot, *call, "--status", "PENDING_ACTIVATION")[0] == "CertificateStateException"
    assert aws.iot(*call)["certificateId"] == device.certificate_id
    assert describe(aws, device.certificate_id)["status"] == "INACTIVE"
    code, message = refusal(aws.iot, *call)
    assert (code, message) == ("ResourceAlreadyExistsException", "The certificate is already provisioned or registered")
    aws.iot("update-ca-certificate", "--certificate-id", ca.certificate_id, "--new-status", "INACTIVE")
    other = ca.sign("other")
    assert refusal(aws.iot, "register-certificate", "--certificate-pem", f"file://{other.certificate}")[0] == "CertificateStateException"
    lonely = Ca(tmp_path / "lonely", "Lonely").sign("lonely")
    made = aws.iot("register-certificate-without-ca", "--certificate-pem", f"file://{lonely.certificate}", "--status", "ACTIVE")
    assert describe(aws, made["certificateId"])["certificateMode"] == "SNI_ONLY"


def test_create_keys_and_certificate_makes_a_device_that_works(broker, aws, tmp_path):
    made = aws.iot("create-keys-and-certificate", "--set-as-active")
    assert made["keyPair"]["PrivateKey"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert made["keyPair"]["PublicKey"].startswith("-----BEGIN PUBLIC KEY-----")
    from support.pki import Device

    device = Device(tmp_path / "cert.pem", tmp_path / "cert.key")
    device.certificate.write_text(made["certificatePem"])
    device.key.write_text(made["keyPair"]["PrivateKey"])
    assert made["certificateId"] == device.certificate_id
    activate(aws, device.certificate_id, allow_all(aws))
    with Client(broker, device) as client:
        client.publish("t", b"x")


def test_create_certificate_from_csr_keeps_the_subject(broker, aws, tmp_path):
    from support.pki import Device

    device = Device(tmp_path / "cert.pem", tmp_path / "cert.key")
    new_key(device.key)
    openssl("req", "-new", "-key", device.key, "-subj", "/CN=from-csr", "-out", tmp_path / "csr.pem")
    made = aws.iot("create-certificate-from-csr", "--certificate-signing-request", f"file://{tmp_path}/csr.pem", "--set-as-active")
    device.certificate.write_text(made["certificatePem"])
    openssl("x509", "-in", device.certificate, "-noout", "-checkend", 0)
    activate(aws, made["certificateId"], allow_all(aws))
    with Client(broker, device):
        pass
    assert refusal(aws.iot, "create-certificate-from-csr", "--certificate-signing-request", "nonsense")[0] == "InvalidRequestException"


def test_deactivation_ends_the_live_connection_and_the_next(broker, aws, ca):
    register_ca(aws, ca)
    device = ca.sign("d")
    register(aws, device, "ACTIVE")
    activate(aws, device.certificate_id, allow_all(aws))
    clients = [Client(broker, device, version=version).connect() for version in (V311, V5)]
    update(aws, device.certificate_id, "INACTIVE")
    for client in clients:
        client.wait_closed()
    with pytest.raises(Closed):
        Client(broker, device).connect()
    wait_for(
        lambda: broker.log_entries(eventType="Connection.AuthNError", reason="DEVICE_CERTIFICATE_INACTIVE", principalId=device.certificate_id),
        "a log line",
    )


def test_lists_come_in_pages(aws, ca):
    register_ca(aws, ca)
    ids = [register(aws, ca.sign(f"d{number}")) for number in range(5)]
    client = aws.boto3()
    seen, marker = [], {}
    while True:
        page = client.list_certificates(pageSize=2, **marker)
        assert len(page["certificates"]) <= 2
        seen += [c["certificateId"] for c in page["certificates"]]
        if "nextMarker" not in page:
            break
        marker = {"marker": page["nextMarker"]}
    assert sorted(seen) == sorted(ids)
    assert refusal(aws.iot, "list-certificates", "--marker", "bm9uc2Vuc2U=", "--page-size", 2)[0] == "InvalidRequestException"
    ascending = client.list_certificates(ascendingOrder=True)["certificates"]
    assert [c["certificateId"] for c in ascending] == list(reversed([c["certificateId"] for c in client.list_certificates()["certificates"]]))


def test_policies_have_versions_and_conflicts(aws, ca):
    document = lambda effect: {"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": "iot:Connect", "Resource": "*"}]}  # noqa: E731
    create_policy(aws, "p", document("Allow"))
    assert refusal(create_policy, aws, "p", document("Deny"))[0] == "ResourceAlreadyExistsException"
    version = lambda: aws.iot("create-policy-version", "--policy-name", "p", "--policy-document", json.dumps(document("Deny")))["policyVersionId"]  # noqa: E731
    assert [version() for _ in range(4)] == ["2", "3", "4", "5"]
    assert refusal(version) == ("VersionsLimitExceededException", "The policy p already has the maximum number of versions (5)")
    assert aws.iot("get-policy", "--policy-name", "p")["defaultVersionId"] == "1"
    aws.iot("set-default-policy-version", "--policy-name", "p", "--policy-version-id", "5")
    listed = aws.iot("list-policy-versions", "--policy-name", "p")["policyVersions"]
    assert {v["versionId"]: v["isDefaultVersion"] for v in listed} == {str(n): n == 5 for n in range(1, 6)}
    assert refusal(aws.iot, "delete-policy-version", "--policy-name", "p", "--policy-version-id", "5")[0] == "InvalidRequestException"
    assert refusal(aws.iot, "delete-policy", "--policy-name", "p")[0] == "DeleteConflictException"
    for number in range(1, 5):
        aws.iot("delete-policy-version", "--policy-name", "p", "--policy-version-id", number)
    assert version() == "6"
    aws.iot("delete-policy-version", "--policy-name", "p", "--policy-version-id", 6)
    register_ca(aws, ca)
    device_id = register(aws, ca.sign("d"))
    arn = describe(aws, device_id)["certificateArn"]
    aws.iot("attach-policy", "--policy-name", "p", "--target", arn)
    assert aws.iot("list-attached-policies", "--target", arn)["policies"][0]["policyName"] == "p"
    assert aws.iot("list-targets-for-policy", "--policy-name", "p")["targets"] == [arn]
    assert aws.iot("list-principal-policies", "--principal", arn)["policies"][0]["policyName"] == "p"
    assert aws.iot("list-policy-principals", "--policy-name", "p")["principals"] == [arn]
    code, message = refusal(aws.iot, "delete-policy", "--policy-name", "p")
    assert code == "DeleteConflictException" and "(name=p)" in message
    aws.iot("detach-policy", "--policy-name", "p", "--target", arn)
    aws.iot("detach-policy", "--policy-name", "p", "--target", arn)
    aws.iot("delete-policy", "--policy-name", "p")
    assert refusal(aws.iot, "get-policy", "--policy-name", "p")[0] == "ResourceNotFoundException"
    assert refusal(create_policy, aws, "q", {"Statement": []})[0] == "MalformedPolicyException"


def test_signatures_are_checked(broker, account):
    from dataclasses import replace

    assert refusal(Aws(broker, replace(account, secret_access_key="wrong")).iot, "list-policies")[0] == "InvalidSignatureException"
    assert refusal(Aws(broker, replace(account, access_key_id="AKIA0000000000000000")).iot, "list-policies")[0] == "UnrecognizedClientException"
    assert refusal(Aws(broker, replace(account, secret_access_key="wrong")), "sts", "get-caller-identity")[0] == "SignatureDoesNotMatch"
    assert refusal(Aws(broker, replace(account, access_key_id="AKIA0000000000000000")), "sts", "get-caller-identity")[0] == "InvalidClientTokenId"


def test_an_operation_that_is_not_served_says_so(aws):
    code, message = refusal(aws.iot, "list-jobs")
    assert code and "not" in message.lower()
