"""What the README tells a newcomer to paste, pasted."""

import os
import re
import subprocess
from pathlib import Path

from support.aws import CLI_V1
from support.broker import PATIENCE, ROOT, clean_environment

README = (ROOT / "README.md").read_text()

#: The subscriber may not be there yet when the last line of the block publishes; a person would publish again.
AGAIN = """
for attempt in $(seq 100); do
  grep -q 21.5 received && break
  mosquitto_pub $tls -i writer -t rooms/1/temperature -m 21.5
done
kill %1
cat received
"""


def test_the_story_of_the_readme_works_as_it_stands(own_broker, tmp_path):
    blocks = re.findall(r"```sh\n(.*?)```", README, re.S)
    story = next(block for block in blocks if "register-ca-certificate" in block)
    assert "mosquitto_sub $tls -i reader -t 'rooms/#' -v &\n" in story
    story = story.replace("-v &\n", "-v > received &\n")
    work = tmp_path / "work"
    work.mkdir()
    script = f". '{own_broker.data}/tidegate.env'\nset -m\n{story}{AGAIN}"
    environment = clean_environment() | {"PATH": f"{Path(CLI_V1).parent}:{os.environ['PATH']}", "HOME": str(work)}
    done = subprocess.run(["bash", "-c", script], cwd=work, env=environment, capture_output=True, text=True, timeout=3 * PATIENCE)
    assert '"status": "PENDING_ACTIVATION"' in done.stdout, done.stdout + done.stderr
    assert "rooms/1/temperature 21.5" in done.stdout, done.stdout + done.stderr


def test_the_second_way_to_switch_auto_registration_on_is_in_the_readme():
    assert "--new-auto-registration-status ENABLE" in README
    assert "describe-ca-certificate" in README
    assert "--set-as-active" in README and "registers nobody" in README
