"""The program under test: started, stopped, killed, asked through its own command line."""

import json
import os
import shlex
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("TIDEGATE_BIN", ROOT / "target/debug/tidegate"))
PATIENCE = 60  # seconds; generous, since CI has two busy cores


@dataclass(frozen=True)
class Account:
    """An account and its administrator key."""

    account_id: str
    access_key_id: str
    secret_access_key: str


def wait_for(condition, what, patience=PATIENCE):
    """The first true value of `condition()`, asked again until then."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience} s for {what}")
        time.sleep(0.02)


def clean_environment():
    """The environment without anything that configures Tidegate or AWS tools."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TIDEGATE_", "AWS_"))
    } | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1"}


class Broker:
    """A broker on loopback and free ports, with its log in a file beside its data directory."""

    def __init__(self, data, config="", **environment):
        self.data = Path(data)
        self.log = self.data.with_name(self.data.name + ".log")
        self.config = self.data.with_name(self.data.name + ".toml")
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config)
        self.environment = {
            "TIDEGATE_MQTT_ADDRESS": "127.0.0.1",
            "TIDEGATE_MQTT_PORT": "0",
            "TIDEGATE_API_PORT": "0",
            "TIDEGATE_LOG_LEVEL": "info,tidegate=debug",
            "TIDEGATE_LOG_FORMAT": "json",
        } | environment
        self.process = None
        self.env = {}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()

    def launch(self, *arguments):
        """Starts the process and does not wait."""
        (self.data / "tidegate.env").unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "serve", "--config", self.config, "--data", self.data, *arguments],
                env=clean_environment() | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def start(self, *arguments):
        """Starts the process and waits until it listens."""
        self.launch(*arguments)

        def listening():
            assert self.process.poll() is None, f"the broker ended early:\n{self.log.read_text()[-4000:]}"
            return (self.data / "tidegate.env").exists()

        wait_for(listening, "tidegate.env")
        self.env = self.read_env()
        return self

    def read_env(self):
        """What `. tidegate.env` would set, as a shell reads it."""
        script = f". {shlex.quote(str(self.data / 'tidegate.env'))} && env -0"
        out = subprocess.run(["sh", "-c", script], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
        pairs = (entry.split("=", 1) for entry in out.stdout.decode().split("\0") if entry)
        return {name: value for name, value in pairs if name.startswith(("TIDEGATE_", "AWS_"))}

    def kill(self):
        """kill -9, and waits until it is gone."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self, sign=signal.SIGTERM):
        """The exit status after `sign`."""
        self.process.send_signal(sign)
        return self.process.wait(PATIENCE)

    def run(self, *arguments, check=True):
        """`tidegate …` against this broker's data directory."""
        done = subprocess.run(
            [PROGRAM, *arguments, "--data", self.data],
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if check:
            assert done.returncode == 0, done.stderr
        return done

    def create_account(self, account_id=None):
        """A new account with its key."""
        chosen = ["--id", account_id] if account_id else []
        made = json.loads(self.run("account", "create", *chosen, "--json").stdout)
        return Account(made["accountId"], made["accessKeyId"], made["secretAccessKey"])

    @property
    def first_account(self):
        """The account that the first start made."""
        return Account(
            self.env["TIDEGATE_ACCOUNT_ID"], self.env["AWS_ACCESS_KEY_ID"], self.env["AWS_SECRET_ACCESS_KEY"]
        )

    @property
    def host(self):
        return self.env["TIDEGATE_MQTT_HOST"]

    @property
    def port(self):
        return int(self.env["TIDEGATE_MQTT_PORT"])

    @property
    def aws_port(self):
        """The port of the listener with AWS's manners."""
        return int(self.env["TIDEGATE_MQTT_LISTENER_AWS_PORT"])

    @property
    def ca_file(self):
        return self.env["TIDEGATE_CA_FILE"]

    def log_entries(self, **members):
        """The JSON log lines whose members have these values."""
        entries = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if all(entry.get(name) == value for name, value in members.items()):
                entries.append(entry)
        return entries
