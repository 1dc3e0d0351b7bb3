"""Pins every dependency with hashes, for every platform, and writes no index address into the files."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = [
    *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
    *("--generate-hashes", "--no-header", "--no-annotate", "--upgrade"),
]


def pin(source: str, target: str, *options: str) -> None:
    command = [*COMPILE, *options, source, "--output-file", f"requirements/{target}.txt"]
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)


pin("pyproject.toml", "run")
pin("requirements/build.in", "build")
pin("pyproject.toml", "dev", "--extra", "dev", "--constraint", "requirements/run.txt", "--constraint", "requirements/build.txt")
pin("requirements/chart.in", "chart", "--constraint", "requirements/dev.txt")
pin("requirements/pictures.in", "pictures", "--constraint", "requirements/dev.txt")
pin("requirements/browser.in", "browser", "--constraint", "requirements/dev.txt")
pin("requirements/audit.in", "audit", "--constraint", "requirements/dev.txt")
pin("requirements/clients.in", "clients", "--constraint", "requirements/dev.txt")
pin("requirements/docs.in", "docs", "--constraint", "requirements/dev.txt")
