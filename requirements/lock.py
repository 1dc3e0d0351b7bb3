"""Pins every dependency with hashes, for every platform, and writes no index address into the files.

Without arguments everything becomes the newest that is allowed. With names of packages only those do, and what they
need: to mend one quickly. What has changed is told.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "requirements"
COMPILE = [
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-header", "--no-annotate"),
]
NEWER = [f"--upgrade-package={name}" for name in sys.argv[1:]] or ["--upgrade"]
PIN = re.compile(r"^([a-z0-9._-]+==[^ ;\\\n]+)", re.MULTILINE)


def pin(source: str, target: str, *options: str) -> None:
    file = FOLDER / f"{target}.txt"
    before = set(PIN.findall(file.read_text(encoding="utf-8"))) if file.exists() else set()
    command = [*COMPILE, *NEWER, *options, source, "--output-file", f"requirements/{target}.txt"]
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)
    after = set(PIN.findall(file.read_text(encoding="utf-8")))
    for sign, pins in (("-", before - after), ("+", after - before)):
        sys.stdout.writelines(f"{target}: {sign} {each}\n" for each in sorted(pins))


pin("pyproject.toml", "run")
pin("requirements/build.in", "build")
pin("pyproject.toml", "dev", "--extra", "dev", "--constraint", "requirements/run.txt", "--constraint", "requirements/build.txt")
for each in ("chart", "pictures", "browser", "audit", "clients", "docs", "sbom"):
    pin(f"requirements/{each}.in", each, "--constraint", "requirements/dev.txt")
