"""The receiver of a certificate is told: an extension, off unless it is configured."""

import json

from support.aws import Aws, device_of, register_ca
from support.broker import Broker, wait_for
from support.mqtt import V5, Client
from support.pki import Ca
from support.webhook import Webhook, signed_by

RECEIVER = "222222222222"
SECRET = b"a secret of 24 bytes ..."


def configuration(url, folder, private_addresses=True):
    (folder / "secret").write_bytes(SECRET + b"\n")
    return (
        f'[transfers]\nevents = true\n[[transfers.webhook]]\naccount_id = "{RECEIVER}"\nurl = "{url}"\n'
        f'secret_file = "secret"\nprivate_addresses = {str(private_addresses).lower()}\n'
    )


def offer(giver, ca, name, message="yours"):
    """A certificate that the giver registers and offers; its id."""
    certificate = ca.sign(name).certificate
    made = giver.iot("register-certificate-without-ca", "--certificate-pem", f"file://{certificate}")["certificateId"]
    giver.iot("transfer-certificate", "--certificate-id", made, "--target-aws-account", RECEIVER, "--transfer-message", message)
    return made


def told(webhook):
    return [(body["eventType"], body["certificateId"]) for body in (json.loads(body) for _, body in webhook.requests)]


def test_the_receiver_hears_of_offers_by_event_and_signed_webhook(tmp_path):
    with Webhook(503, 200) as webhook, Broker(tmp_path / "data", configuration(webhook.url, tmp_path)) as broker:
        giver, receiver = Aws(broker), Aws(broker, broker.create_account(RECEIVER))
        register_ca(receiver, ca := Ca(tmp_path / "pki", "Receiver CA"))
        with Client(broker, device_of(receiver, ca), version=V5) as listener:
            assert not listener.subscribe("$tidegate/events/certificates/+/+")[0].is_failure
            certificate_id = offer(giver, ca, "given", "yours now")
            giver.iot("cancel-certificate-transfer", "--certificate-id", certificate_id)
            heard = [listener.messages.get(timeout=60) for _ in range(2)]
            assert listener.publish("$tidegate/events/certificates/offered/x", b"lie", 1).is_failure
        assert [message.topic.rsplit("/", 2)[1:] for message in heard] == [["offered", certificate_id], ["cancelled", certificate_id]]
        offered = json.loads(heard[0].payload)
        assert {name: offered[name] for name in offered if name != "timestamp"} == {
            "eventType": "offered",
            "certificateId": certificate_id,
            "certificateArn": f"arn:aws:iot:{giver.region}:{RECEIVER}:cert/{certificate_id}",
            "awsAccountId": RECEIVER,
            "region": giver.region,
            "transferredFrom": giver.account.account_id,
            "transferMessage": "yours now",
        }
        # Every attempt of one delivery has the same id; what was answered 503 comes again.
        wait_for(lambda: ("cancelled", certificate_id) in told(webhook)[1:], "the webhook's last call")
        assert all(signed_by(SECRET, headers, body) for headers, body in webhook.requests)
        assert not signed_by(b"another secret of mine", *webhook.requests[0])
        deliveries = {(headers["tidegate-event"], headers["tidegate-delivery"]) for headers, _ in webhook.requests}
        assert {event for event, _ in deliveries} <= {"certificates/offered", "certificates/cancelled"}
        assert len(deliveries) == len({event for event, _ in deliveries})
        assert not any(SECRET.decode() in line for line in broker.log.read_text().splitlines())


def test_what_a_webhook_has_not_taken_is_told_after_a_kill(tmp_path):
    with Webhook(503) as webhook, Broker(tmp_path / "data", configuration(webhook.url, tmp_path)) as broker:
        giver = Aws(broker)
        broker.create_account(RECEIVER)
        ca = Ca(tmp_path / "pki", "Nobody's CA")
        first, second = offer(giver, ca, "one"), offer(giver, ca, "two")
        wait_for(lambda: told(webhook), "an attempt")
        broker.kill()
        webhook.answers, before = [200], len(webhook.requests)
        broker.start()
        wait_for(lambda: {("offered", first), ("offered", second)} <= set(told(webhook)[before:]), "both notices")
        # Taken is taken: a restart tells nothing again, but what comes next is told.
        broker.kill()
        broker.start()
        third = offer(Aws(broker), ca, "three")
        wait_for(lambda: ("offered", third) in told(webhook), "the next notice")
        assert sorted(told(webhook)[before:]) == sorted(("offered", made) for made in (first, second, third))


def test_a_webhook_on_this_machine_is_not_called_unless_that_is_allowed(tmp_path):
    config = lambda webhook: configuration(webhook.url, tmp_path, private_addresses=False)  # noqa: E731
    with Webhook(200) as webhook, Broker(tmp_path / "data", config(webhook)) as broker:
        broker.create_account(RECEIVER)
        offer(Aws(broker), Ca(tmp_path / "pki", "Nobody's CA"), "one")
        lines = wait_for(lambda: broker.log_entries(event_type="TransferNotice"), "the log line")
        assert "not allowed" in lines[0]["outcome"] and "/hook" not in lines[0]["outcome"]
        assert webhook.requests == []
