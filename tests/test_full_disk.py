"""A disk without room: what needs it is refused, the rest goes on, and all is well when there is room again."""

import json
import subprocess

import pytest

from support.aws import Aws, AwsError, allow_all, device_of, register_ca
from support.broker import Broker, wait_for
from support.mqtt import V5, V311, Client, Closed, connect_properties
from support.pki import Ca


@pytest.fixture
def full(tmp_path):
    """The file at whose sight the test build finds its disk full."""
    return tmp_path / "full"


@pytest.fixture
def broker(tmp_path, full):
    with Broker(tmp_path / "data", TIDEGATE_FAULT_FULL_DISK=str(full)) as running:
        yield running


@pytest.fixture
def device(broker, tmp_path):
    aws, ca = Aws(broker), Ca(tmp_path / "pki")
    register_ca(aws, ca)
    return device_of(aws, ca)


def sleeper(broker, device):
    return Client(broker, device, "sleeper", V5, clean=False, properties=connect_properties(SessionExpiryInterval=600))


def test_messages_that_must_be_kept_are_refused_until_there_is_room_again(broker, device, full):
    aws = Aws(broker)
    with sleeper(broker, device) as kept:
        kept.subscribe("news", 1)
    with Client(broker, device, version=V5) as five, Client(broker, device, version=V5) as present:
        present.subscribe("live", 1)
        assert five.publish("news", b"before").value == 0
        full.touch()
        assert five.publish("news", b"refused").value == 0x97
        assert five.publish("kept", b"refused", retain=True).value == 0x97
        with Client(broker, device, version=V311) as three, pytest.raises(Closed):
            three.publish("news", b"refused too")  # 3.1.1 has no word for it: the connection ends, without PUBACK
        # What needs no disk goes on: connected subscribers, reading, connecting.
        five.publish("live", b"0", 0)
        assert five.publish("live", b"1", 1).value == 0
        assert [present.message().payload for _ in range(2)] == [b"0", b"1"]
        with Client(broker, device, version=V311) as another:
            another.publish("live", b"2")
        assert present.message().payload == b"2"
        with pytest.raises(AwsError, match="Service ?Unavailable"):
            allow_all(aws, "another")
        assert aws.iot("list-policies")["policies"]
        assert len(broker.log_entries(event_type="Journal", level="WARN")) == 1  # one line a minute
        assert broker.process.poll() is None

        full.unlink()
        assert five.publish("news", b"after").value == 0
        assert five.publish("kept", b"after", retain=True).value == 0
        allow_all(aws, "another")
    broker.kill()
    broker.start()
    with sleeper(broker, device) as kept:
        assert kept.session_present
        assert [kept.message().payload for _ in range(2)] == [b"before", b"after"]
        kept.subscribe("kept", 1)
        assert kept.message().payload == b"after"
        assert kept.silent()


def test_sessions_made_and_ended_while_there_was_no_room_are_as_they_were_left(broker, device, full):
    gone = Client(broker, device, "gone", V5, clean=False, properties=connect_properties(SessionExpiryInterval=600)).connect()
    gone.subscribe("news", 1)
    gone.close()
    full.touch()
    with sleeper(broker, device) as made:
        # SUBACK is given: the broker keeps the subscription in memory until there is room.
        assert made.subscribe("news", 1)[0].value == 1
    with Client(broker, device, "gone", V5, clean=True):
        pass
    full.unlink()
    with Client(broker, device, version=V5) as publisher:
        assert publisher.publish("news", b"x").value == 0
    broker.kill()
    broker.start()
    with sleeper(broker, device) as again:
        assert again.session_present and again.message().payload == b"x"
    fresh = Client(broker, device, "gone", V5, clean=False, properties=connect_properties(SessionExpiryInterval=600)).connect()
    assert not fresh.session_present
    fresh.close()
    wait_for(lambda: broker.log_entries(event_type="Journal"), "the journal's line at the start")


def shown(broker, name):
    """The certificate that is shown under this name, in PEM."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{broker.port}", "-servername", name]
    out = subprocess.run(command, input="", capture_output=True, text=True, timeout=60).stdout
    return out[out.index("-----BEGIN CERTIFICATE-----") : out.index("-----END CERTIFICATE-----")]


def test_certificates_that_should_be_renewed_at_a_start_without_room_are_as_before(tmp_path, full):
    ca = Ca(tmp_path / "public", "Public CA")

    def certificate():
        made = ca.sign("own.example", extensions="subjectAltName=DNS:own.example")
        (tmp_path / "chain.pem").write_text(made.certificate.read_text())
        (tmp_path / "server.key").write_text(made.key.read_text())
        return made.certificate.read_text().split("-----END")[0].strip()

    first = certificate()
    config = '[[certificate]]\nname = "mine"\nchain_file = "chain.pem"\nkey_file = "server.key"\n'
    with Broker(tmp_path / "data", config, TIDEGATE_FAULT_FULL_DISK=str(full)) as broker:
        aws = Aws(broker)
        arn = f"arn:aws:acm:{aws.region}:{aws.account.account_id}:certificate/mine"
        aws.boto3().create_domain_configuration(domainConfigurationName="own", domainName="own.example", serverCertificateArns=[arn])
        own = shown(broker, "localhost")
        assert shown(broker, "own.example").strip() == first
        second = certificate()
        broker.config.write_text('[server]\nhost_names = ["localhost", "another.test"]\n' + config)
        full.touch()
        broker.stop()
        broker.start()
        assert shown(broker, "own.example").strip() == first and shown(broker, "localhost") == own
        complaints = [entry for entry in broker.log_entries(level="ERROR") if "could not be stored or renewed" in entry["message"]]
        assert [entry["certificate"] for entry in complaints] == ["default", "mine"]
        full.unlink()
        broker.stop()
        broker.start()
        assert shown(broker, "own.example").strip() == second and shown(broker, "localhost") != own


def test_a_start_without_room_loses_no_record_that_is_too_old_and_deletes_it_once_there_is_some(tmp_path, full):
    def verified():
        return json.loads(broker.run("audit", "verify", "--json").stdout)

    with Broker(tmp_path / "data", TIDEGATE_FAULT_FULL_DISK=str(full)) as broker:
        allow_all(Aws(broker))
        before = verified()
        assert before["records"] > 0 and not before["problems"]
        broker.stop()
        full.touch()
        broker.config.write_text("[logs]\naudit_retention_days = 0\n")
        broker.start()
        wait_for(lambda: broker.log_entries(message="what is too old or too much could not be deleted"), "the line")
        assert verified() == before
        broker.stop()
        full.unlink()
        broker.start()
        wait_for(lambda: verified()["records"] == 0, "the old records to go")
        after = verified()
        assert (after["head"], after["problems"]) == (before["head"], [])
