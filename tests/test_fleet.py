"""`tidegate fleet`: certificates, scenarios, verification, just-in-time registration, and what bad input is answered with."""

import json
import os
import shutil
import socket
import stat
import subprocess

import pytest

from support.broker import PROGRAM, ROOT, Broker, clean_environment, wait_for
from support.faulty import FaultyProxy

PLAIN = '[[mqtt.listener]]\nname = "plain"\naddress = "127.0.0.1"\nport = 0\ntransport = "plain"\n'
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")

PAIRS = """
duration = "{duration}"
settle = "5s"
[broker]
transport = "plain"
[[group]]
name = "pair"
count = {count}
version = "{version}"
connect = "at once"
clean = {clean}
retry = {{ first = "200ms", max = "1s", give_up = "{give_up}" }}
[[group.publish]]
topic = "pairs/{{{{index}}}}/up"
qos = {qos}
every = "100ms"
[[group.subscribe]]
filter = "pairs/{{{{index}}}}/#"
qos = {qos}
{more}
"""


def pairs(path, duration="2s", count=20, version="5", clean="true", give_up="5s", qos=1, more=""):
    """A scenario file: each device hears itself."""
    path.write_text(PAIRS.format(**{name: value for name, value in locals().items() if name != "path"}))
    return path


def fleet(*arguments, environment=None, patience=120):
    """`tidegate fleet …`; its result, whatever it is."""
    return subprocess.run(
        [PROGRAM, "fleet", *map(str, arguments)],
        env=clean_environment() | (environment or {}),
        capture_output=True,
        text=True,
        timeout=patience,
        stdin=subprocess.DEVNULL,
    )


def run(scenario, *arguments, **more):
    """`fleet run` with its JSON; both."""
    done = fleet("run", scenario, "--json", "-", *arguments, **more)
    return done, json.loads(done.stdout) if done.stdout else None


def one_line(done):
    """The line that explains a failure."""
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("tidegate: ")]
    assert len(lines) == 1 and done.stderr.rstrip().endswith(lines[0]), done.stderr
    return lines[0]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A broker with a plain listener."""
    config = '[server]\nhost_names = ["lab.example"]\n' + PLAIN
    with Broker(tmp_path_factory.mktemp("lab") / "data", config) as running:
        yield running


@pytest.fixture
def plain(lab):
    return ["--host", "127.0.0.1", "--port", lab.env["TIDEGATE_MQTT_LISTENER_PLAIN_PORT"]]


def test_certificates_are_made_once_for_their_owner_and_other_tools(tmp_path):
    directory = tmp_path / "fleet"
    made = fleet("make", directory, "--count", 70, "--name", "press-{{index 3}}")
    assert made.returncode == 0 and "70 devices, 70 of them new" in made.stdout, made.stderr
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in directory.iterdir()} == {0o600}
    again = fleet("make", directory, "--count", 70, "--name", "press-{{index 3}}")
    assert "nothing was made" in again.stdout
    assert "press-000, not device-00000" in one_line(fleet("make", directory, "--count", 71))
    device = tmp_path / "device.pem"
    device.write_text(fleet("show", directory, "press-069").stdout)
    check = ["openssl", "verify", "-x509_strict", "-CAfile", directory / "ca.pem", device]
    assert subprocess.run(check, capture_output=True, text=True).stdout.endswith("OK\n")
    subject = subprocess.run(["openssl", "x509", "-noout", "-subject", "-in", device], capture_output=True, text=True)
    assert "press-069" in subject.stdout
    assert "no device" in one_line(fleet("show", directory, "press-070"))


@pytest.mark.parametrize("version", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_every_message_is_verified(tmp_path, plain, version, qos):
    done, result = run(pairs(tmp_path / "s.toml", version=version, qos=qos), *plain)
    assert done.returncode == 0, done.stderr
    assert (result["arrived"], result["good"]) == (20, True)
    assert result["sent"][f"qos{qos}"] == result["received"] == result["verdict"]["verified"] > 200
    assert result["histograms"]["delivery"]["count"] == result["received"]


def test_results_are_written_for_people_programs_and_plotters(tmp_path, plain):
    written, histograms = tmp_path / "out.json", tmp_path / "histograms"
    done = fleet("run", pairs(tmp_path / "s.toml"), *plain, "--json", written, "--histograms", histograms, "--every", "1s")
    assert done.returncode == 0, done.stderr
    assert "nothing lost, duplicated or reordered" in done.stdout and "p99.9" in done.stdout
    assert "connected 20/20" in done.stderr, "plain lines where there is no terminal"
    assert json.loads(written.read_text())["good"]
    assert {file.name for file in histograms.iterdir()} == {f"{n}.hgrm" for n in ("connect", "working", "ack", "delivery")}
    assert "Total count" in (histograms / "delivery.hgrm").read_text()


@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("fault", ["drop", "duplicate", "reorder"])
def test_what_a_proxy_does_to_messages_is_found(tmp_path, lab, fault, qos):
    with FaultyProxy(int(lab.env["TIDEGATE_MQTT_LISTENER_PLAIN_PORT"]), fault) as proxy:
        scenario = pairs(tmp_path / "s.toml", count=4, qos=qos).read_text().replace('"5s"', '"2s"', 1)
        (tmp_path / "s.toml").write_text(scenario)
        done, result = run(tmp_path / "s.toml", "--host", "127.0.0.1", "--port", proxy.port)
    found = {"drop": "lost", "duplicate": "duplicated", "reorder": "reordered"}[fault]
    assert proxy.faults > 0
    assert result["verdict"][found] == proxy.faults, result
    assert f"verification failed: {proxy.faults} {found}" in one_line(done)
    others = {"lost", "duplicated", "reordered", "misrouted", "unexpected"} - {found}
    assert not any(result["verdict"][name] for name in others), result["verdict"]


def test_messages_that_qos_0_may_lose_are_counted_and_fail_nothing(tmp_path, lab):
    with FaultyProxy(int(lab.env["TIDEGATE_MQTT_LISTENER_PLAIN_PORT"]), "drop") as proxy:
        scenario = pairs(tmp_path / "s.toml", count=4, qos=0)
        scenario.write_text(scenario.read_text().replace('settle = "5s"', 'settle = "1s"'))
        done, result = run(scenario, "--host", "127.0.0.1", "--port", proxy.port)
    assert done.returncode == 0, done.stderr
    assert result["verdict"]["lostQos0"] == proxy.faults > 0


def test_a_broker_that_is_killed_in_the_middle_loses_nothing_of_kept_sessions(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Broker(tmp_path / "data", PLAIN.replace("port = 0", f"port = {port}")) as broker:
        scenario = pairs(tmp_path / "s.toml", duration="6s", clean="false", give_up="60s")
        scenario.write_text(scenario.read_text().replace('settle = "5s"', 'settle = "30s"'))
        command = [PROGRAM, "fleet", "run", scenario, "--host", "127.0.0.1", "--port", str(port), "--json", "-"]
        with subprocess.Popen([*command, "--every", "200ms"], env=clean_environment(), stdout=-1, stderr=-1, text=True) as process:
            lines = iter(process.stderr.readline, "")
            assert any("steady" in line and "connected 20/20" in line for line in lines)
            broker.kill()
            assert any("connected 0/20" in line for line in lines)
            broker.start()
            assert any("connected 20/20" in line for line in lines)
            out, rest = process.communicate(timeout=120)
    result = json.loads(out)
    assert process.returncode == 0, rest
    assert result["lost"] == 20 and result["sessionsLost"] == 0
    assert result["verdict"]["verified"] == sum(result["sent"].values()) > 20 * 50


def test_storms_and_churn_reconnect_and_lose_nothing_of_kept_sessions(tmp_path, plain):
    more = 'churn = { per_minute = "100%", pause = "100ms" }\n'
    storm = '[[storm]]\nat = "1s"\nshare = "50%"\npause = "200ms"\n[[storm]]\nat = "2s"\nabrupt = false\n'
    scenario = pairs(tmp_path / "s.toml", duration="4s", count=40, clean="false", more=storm)
    scenario.write_text(scenario.read_text().replace("[[group.publish]]", f"{more}[[group.publish]]", 1))
    done, result = run(scenario, *plain)
    assert done.returncode == 0, done.stderr
    assert result["ended"] >= 50 and result["attempts"] == 40 + result["ended"]
    assert (result["verdict"]["lost"], result["sessionsLost"], result["connected"]) == (0, 0, 40)


def test_two_hundred_unknown_devices_register_just_in_time_and_talk(tmp_path, own_broker):
    directory = tmp_path / "fleet"
    assert fleet("make", directory, "--count", 200).returncode == 0
    options = ["--duration", "2s", "--connect", "at once", "--json", "-"]
    done = fleet("jitr", directory, *options, environment=own_broker.env)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["jitr"] == {"registered": 200, "activated": 200, "failedActivations": 0, "working": 200}
    assert result["refused"] >= 200 and result["good"]
    assert result["histograms"]["working"]["count"] == 200
    # Known devices come in at once.
    done, again = run(storm_free(tmp_path, directory), environment=own_broker.env)
    assert (again["refused"], again["arrived"], again["good"]) == (0, 200, True), done.stderr


def storm_free(tmp_path, directory):
    scenario = tmp_path / "known.toml"
    scenario.write_text(
        f'duration = "1s"\n[[group]]\nname = "g"\ncount = 200\nidentities = "{directory}"\nconnect = "at once"\n'
        '[[group.publish]]\ntopic = "fleet/{{device}}/x"\nqos = 1\n[[group.subscribe]]\nfilter = "fleet/{{device}}/x"\nqos = 1\n'
    )
    return scenario


def test_a_script_activates_what_it_is_told(tmp_path, own_broker):
    directory, told = tmp_path / "fleet", tmp_path / "told"
    assert fleet("make", directory, "--count", 2).returncode == 0
    first = fleet("jitr", directory, "--count", 1, "--duration", "0s", environment=own_broker.env)
    assert first.returncode == 0, first.stderr  # it has registered the CA and made the policy
    script = tmp_path / "activate.sh"
    script.write_text(
        "#!/bin/sh -e\n"
        f"echo $1 $2 >> {told}\n"
        "arn=arn:aws:iot:$AWS_DEFAULT_REGION:$TIDEGATE_ACCOUNT_ID:cert/$1\n"
        "/usr/bin/aws --endpoint-url $AWS_ENDPOINT_URL iot attach-policy --policy-name tidegate-fleet --target $arn\n"
        "/usr/bin/aws --endpoint-url $AWS_ENDPOINT_URL iot update-certificate --certificate-id $1 --new-status ACTIVE\n"
        # Until the device has worked and left: the run is over then.
        f"until {ROOT}/.venv/bin/aws --endpoint-url $AWS_ENDPOINT_URL iot-data get-connection --client-id $2 --query connected 2>&1"
        " | grep -q false; do :; done\n"
    )
    script.chmod(0o755)
    done = fleet("jitr", directory, "--activate-with", script, "--duration", "0s", environment=own_broker.env)
    assert done.returncode == 0, done.stderr
    assert "1 activated, 2 working" in done.stdout
    assert told.read_text().split()[1:] == ["device-00001"]


def test_bad_input_is_explained_in_one_line(tmp_path, broker, lab, plain):
    directory, stranger = tmp_path / "fleet", tmp_path / "stranger"
    assert fleet("make", directory, "--count", 2).returncode == 0
    assert fleet("make", stranger, "--count", 1).returncode == 0
    mtls = tmp_path / "mtls.toml"
    mtls.write_text(f'[[group]]\nname = "g"\ncount = 2\nidentities = "{directory}"\nretry = {{ first = "100ms", max = "100ms", give_up = "1s" }}\n')
    bare = tmp_path / "bare.toml"
    bare.write_text(mtls.read_text().replace(f'identities = "{directory}"\n', ""))
    typo = tmp_path / "typo.toml"
    typo.write_text('[[group]]\nname = "g"\ncount = 2\ncolour = "red"\n')
    few = tmp_path / "few.toml"
    few.write_text(mtls.read_text().replace("count = 2", "count = 3"))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = closed.getsockname()[1]
    env = broker.env
    for arguments, environment, says in [
        (["run", mtls], env, "the broker does not know the devices' CA"),
        (["run", bare], env, "give `identities`"),
        (["run", mtls, "--ca", stranger / "ca.pem"], env, "of a CA that is not trusted: give the CA that signed it"),
        (["run", mtls, "--server-name", "elsewhere.example"], env, "no endpoint of that name: say `server_name`"),
        (["run", mtls, "--host", "127.0.0.1", "--port", lab.port, "--ca", lab.ca_file], env, "does not hold the name 127.0.0.1: use a host name"),
        (["run", mtls, "--host", "127.0.0.1", "--port", nobody], env, "connection refused: is it running"),
        (["run", mtls, "--host", "127.0.0.1", "--port", plain[3]], env, "is that the port for TLS"),
        (["run", mtls, "--ca", tmp_path / "none.pem"], env, "cannot read"),
        (["run", mtls, "--identities", tmp_path / "none"], env, "make them with `tidegate fleet make"),
        (["run", few], env, "has 2 devices, group g needs 3"),
        (["run", mtls], {}, "TIDEGATE_MQTT_HOST"),
        (["run", typo], env, "typo.toml: line 4, column 1: unknown field `colour`"),
        (["check", typo], {}, "line 4, column 1: unknown field `colour`"),
        (["run", tmp_path / "none.toml"], env, "cannot read the scenario"),
        (["run", mtls, "--count", 1_000_000], env, "has 2 devices, group g needs 1000000"),
        (["run", bare, "--count", 1_000_000], env, "devices fit; raise the limit"),
        (["jitr", directory], {}, "is not in the environment: take the operator's keys"),
        (["jitr", directory, "--policy", "none"], env, "ResourceNotFoundException"),
        (["jitr", directory], env | {"AWS_SECRET_ACCESS_KEY": "wrong"}, "InvalidSignatureException"),
    ]:
        done = fleet(*arguments, environment=environment)
        assert says in one_line(done), f"{arguments}: {done.stderr}"
    assert "the scenario is good: 2 devices in 1 groups" in fleet("check", mtls).stdout


def test_an_idle_device_costs_less_than_12_kib(tmp_path, own_broker):
    """Resident memory of the fleet per mTLS connection, in a debug build; the release build takes no more."""
    directory, count = tmp_path / "fleet", 300
    assert fleet("make", directory, "--count", count).returncode == 0
    done = fleet("jitr", directory, "--duration", "0s", "--connect", "400/s", environment=own_broker.env, patience=240)
    assert done.returncode == 0, done.stderr
    idle = tmp_path / "idle.toml"
    idle.write_text(f'duration = "60s"\n[[group]]\nname = "g"\ncount = {count}\nidentities = "{directory}"\nconnect = "at once"\n')

    def resident(devices):
        command = [PROGRAM, "fleet", "run", idle, "--count", str(devices), "--every", "100ms"]
        environment = clean_environment() | own_broker.env
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=-1, text=True) as process:
            assert any("steady" in line for line in iter(process.stderr.readline, ""))
            status = open(f"/proc/{process.pid}/status").read()
            process.kill()
        return int(status.split("VmRSS:")[1].split()[0])

    few = resident(50)
    assert (resident(count) - few) / (count - 50) < 12


@pytest.mark.skipif(MOSQUITTO is None, reason="Debian's mosquitto is not installed")
def test_another_broker_serves_as_well(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    with subprocess.Popen([MOSQUITTO, "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "mosquitto")
        done, result = run(ROOT / "config/fleet/plain.toml", "--port", port, "--count", 20, "--duration", "2s")
        process.terminate()
    assert done.returncode == 0, done.stderr
    assert result["verdict"]["verified"] == sum(result["sent"].values()) > 0
