"""Asks whether any pinned dependency has a known vulnerability. Ends with status 1 if one has.

Where the service that knows them cannot be reached, or knows none of the dependencies, nothing was found out, and that
is said: it is no fault.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
AUDIT = ["pip_audit", "--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off"]


def asked(file: Path) -> list[dict[str, Any]] | None:
    """Its dependencies and what is known of each; None where nobody could be asked."""
    command = [sys.executable, "-m", *AUDIT, "--requirement", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        sys.stderr.write(done.stderr[-500:])
        return None
    return found


vulnerable = False
for file in sorted(FOLDER.glob("*.txt")):
    # The others are lists of Debian packages.
    if "--hash=" not in file.read_text(encoding="utf-8"):
        continue
    dependencies = asked(file)
    known = [each for each in dependencies or [] if "vulns" in each]
    if not known:
        sys.stdout.write(f"{file.name}: NOT AUDITED, as nobody here could be asked for known vulnerabilities.\n")
        continue
    skipped = [each["name"] for each in dependencies or [] if "vulns" not in each]
    found = [f"{each['name']} {each['version']}: {one['id']}" for each in known for one in each["vulns"]]
    lines = [f"{file.name}: {len(known)} audited, {len(found)} vulnerabilities", *found]
    if skipped:
        lines.append(f"not audited: {', '.join(skipped)}")
    sys.stdout.write("\n  ".join(lines) + "\n")
    vulnerable |= bool(found)
sys.exit(1 if vulnerable else 0)
