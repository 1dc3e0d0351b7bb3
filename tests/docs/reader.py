"""Somebody who follows a page to the letter: all of its commands, in one sitting, with a hub of their own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copy

from entrypoints.stand_ins.twilio import ACCOUNT_SID, API_KEY, AUTH_TOKEN
from tests.docs.markdown import ROOT, Block
from tests.e2e.running import eventually
from tests.http import SIGNING_KEYS
from tests.import_path import import_path
from tests.ports import free_port

# What the documentation calls a PostgreSQL of the reader's.
POSTGRES = ("postgresql://smshub:…@postgres.example/smshub", "postgresql://…/drill")

_PATIENCE_S = 840

# At the beginning of a script of bash's: all of its session ends with the tests, however these are ended.
ENDS_WITH_THE_TESTS = '(while kill -0 "$TESTS" 2>/dev/null; do sleep 1; done; kill -KILL 0) & disown\n'

# Commands that serve until they are stopped take a terminal each: here they run in the background, and the next command
# waits until they are ready. Answers that are faults end the sitting.
_TERMINALS = r"""
set -Eeuo pipefail
trap 'echo "At $at, $BASH_COMMAND" >&2' ERR
smshub() {
  case "${1-} ${2-}" in
    "sandbox twilio" | "sandbox vonage") serving "$TWILIO" smshub "$@" --port "${TWILIO##*:}" ;;
    "api "* | "serve "* | "demo "*)
      serving "-f $INTERNAL/readyz" smshub "$@" --port "${HUB_ADDRESS##*:}" --internal-port "${INTERNAL##*:}" ;;
    "dispatcher "*) serving "-f $INTERNAL_TOO/readyz" smshub "$@" --internal-port "${INTERNAL_TOO##*:}" ;;
    *) at_hand "$@" ;;
  esac
}
at_hand() { python3 -SE "$ROOT/tests/docs/at_hand.py" "$@"; }
serving() {
  local ready=$1; shift
  command "$@" >>served.log 2>&1 &
  SERVING="${SERVING-} $!"
  for _ in $(seq 600); do
    command curl -s -o /dev/null --max-time 5 $ready && return
    kill -0 $! 2>/dev/null || break
    sleep 0.1
  done
  tail -n 30 served.log >&2
  return 1
}
stop_all() {
  kill ${SERVING-} 2>/dev/null || true
  wait
  SERVING=
}
make() {
  test "$1" = run
  smshub demo
  SID=$(jq -r .ProgramSID var/demo-program.json)
  KEY=$(jq -r .ProgramKey var/demo-program.json)
}
curl() { command curl --fail-with-body --max-time 60 "$@"; }
a_program() {
  local made
  made=$(at_hand programs create --name "City Hall" --sender +19705550142 --provider sandbox --output json)
  PROGRAM=$(jq -r .ProgramId <<<"$made") SID=$(jq -r .ProgramSID <<<"$made") KEY=$(jq -r .ProgramKey <<<"$made")
}
log_in() { TOKEN=$(curl -sS "$HUB_ADDRESS/api/Login" -d ProgramSID="$SID" -d ProgramKey="$KEY" | tr -d '"'); }
"""


@dataclass(frozen=True, slots=True)
class Sitting:
    status: int
    output: str


@contextmanager
def commands_at_hand(folder: Path) -> Iterator[Path]:
    """Where `follow` finds them."""
    address = folder / "at-hand"
    program = "import sys; from tests.docs.at_hand import serve; serve(sys.argv[1])"
    environment = {**os.environ, "PYTHONPATH": import_path(), "LANG": "C.UTF-8"}
    with subprocess.Popen([sys.executable, "-c", program, address], env=environment) as process:
        try:
            eventually(address.exists, within_s=60)
            yield address
        finally:
            process.terminate()


def follow(page: Sequence[Block], folder: Path, *, database: Path, at_hand: Path, postgres_url: str = "") -> Sitting:
    """`database` is one that is migrated. The page's commands find a copy of it, unless they say otherwise."""
    copy(database, folder / "reader.db")
    hub, internal, internal_too, twilio = (f"http://127.0.0.1:{free_port()}" for _ in range(4))
    placeholders = {
        "http://127.0.0.1:8080": hub,
        "http://127.0.0.1:8081": internal,
        "https://hub.example": hub,
        "https://sms.example/": f"{hub}/",
        "http://127.0.0.1:8181": twilio,
        **dict.fromkeys(POSTGRES, postgres_url),
        "/etc/prometheus": "prometheus",
        ".venv/bin/smshub": "smshub",
        "ProgramSID=…": "ProgramSID=$SID",
        "ProgramKey=…": "ProgramKey=$KEY",
        "01a2…": "$PROGRAM",
        "PROGRAM_ID": "$PROGRAM",
        "--program …": "--program $PROGRAM",
        "AC…": ACCOUNT_SID,
        "SK…": API_KEY,
        '"…"': f'"{AUTH_TOKEN}"',
    }
    script = "\n".join(
        [ENDS_WITH_THE_TESTS, _TERMINALS, *(f"at={each.place}\n{filled_in(each.text, placeholders)}" for each in page)]
    )
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": import_path(),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "SMSHUB_DATABASE_URL": f"sqlite:///{folder / 'reader.db'}",
        "SMSHUB_SIGNING_KEYS": SIGNING_KEYS,
        "SMSHUB_ENCRYPTION_KEYS": SIGNING_KEYS,
        "HUB_ADDRESS": hub,
        "INTERNAL": internal,
        "INTERNAL_TOO": internal_too,
        "TWILIO": twilio,
        "ROOT": str(ROOT),
        "TESTS": str(os.getpid()),
        "AT_HAND": str(at_hand),
    }
    return _sit(script, folder, environment)


def filled_in(text: str, placeholders: Mapping[str, str]) -> str:
    """The commands with what a reader puts in place of what only stands for something."""
    for written, meant in placeholders.items():
        text = text.replace(written, meant)
    left = re.findall(r"\S*…\S*", re.sub(r"#.*", "", text))
    assert not left, f"No reader knows what to put in for {left}"
    return text


def _sit(script: str, folder: Path, environment: Mapping[str, str]) -> Sitting:
    # A session of its own, so that whatever was left running in the background can be ended with it.
    with (
        (folder / "output").open("w+b") as output,
        subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            status = process.wait(_PATIENCE_S)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        output.seek(0)
        return Sitting(status, output.read().decode(errors="replace"))
