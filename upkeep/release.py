"""Makes a release: `make release VERSION=1.2.0`. Whatever bears the version changes in one commit, which gets the tag.

Nothing leaves the machine: pushing is what the releaser does who has looked at it.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.compatibility.breaks import breaks

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT, RELEASED = Path("openapi/sms-hub.yaml"), Path("openapi/released/sms-hub.yaml")
_UNRELEASED = "## [Unreleased]\n"
# Where the version stands, beside the changelog. The image's tag is pyproject's, and the chart installs its appVersion.
_PLACES: Mapping[str, str] = {
    "pyproject.toml": r'^version = "(.*)"$',
    "helm/sms-hub/Chart.yaml": r'^(?:version: |appVersion: ")([^"\n]*)"?$',
}


def release(version: str, root: Path = ROOT) -> None:
    """Raises SystemExit with the reason where there is not to be such a release; nothing is changed then."""
    if not re.fullmatch(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", version):
        sys.exit(f"{version!r} is no version such as 1.2.0.")
    if _git(root, "status", "--porcelain"):
        sys.exit("There are changes that are not committed.")
    tag = f"v{version}"
    if _git(root, "tag", "--list", tag):
        sys.exit(f"There is a tag {tag} already.")
    before = _version(root)
    if _numbers(version) < _numbers(before):
        sys.exit(f"{version} comes before {before}.")
    changes = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(r"^- ", changes.partition(_UNRELEASED)[2].partition("\n## [")[0], re.MULTILINE):
        sys.exit("CHANGELOG.md has nothing under [Unreleased].")
    broken = breaks(*(_read(root / each) for each in (RELEASED, DOCUMENT)))
    if broken and _numbers(version)[0] == _numbers(before)[0]:
        sys.exit("\n".join(["Clients of the last release would break, so it is a new major version:", *broken]))

    for place, pattern in _PLACES.items():
        _write_version(root / place, pattern, version)
    heading = f"## [{version}] - {datetime.now(UTC).date()}\n"
    (root / "CHANGELOG.md").write_text(changes.replace(_UNRELEASED, f"{_UNRELEASED}\n{heading}", 1), encoding="utf-8")
    (root / RELEASED).write_bytes((root / DOCUMENT).read_bytes())
    _git(root, "commit", "--quiet", "--all", "--message", f"Release {version}")
    _git(root, "tag", "--annotate", tag, "--message", f"SMS Hub {version}")


def _read(document: Path) -> Mapping[str, Any]:
    # The same as SafeLoader in C, where PyYAML was built with it: seconds less.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    read: Mapping[str, Any] = yaml.load(document.read_text(encoding="utf-8"), loader)  # noqa: S506
    return read


def _write_version(file: Path, pattern: str, version: str) -> None:
    text = file.read_text(encoding="utf-8")

    def renewed(found: re.Match[str]) -> str:
        return found[0].replace(found[1], version)

    file.write_text(re.sub(pattern, renewed, text, flags=re.MULTILINE), encoding="utf-8")


def _version(root: Path) -> str:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(_PLACES["pyproject.toml"], text, re.MULTILINE)
    return found[1] if found else sys.exit("pyproject.toml has no version.")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def _git(root: Path, *command: str) -> str:
    done = subprocess.run(["git", *command], cwd=root, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    release(sys.argv[1] if len(sys.argv) > 1 else "")
    sys.stdout.write(
        "It is committed and tagged here, and nowhere else. Look at it (git show), then:\n"
        "  git push --follow-tags\n  make image\n  make sbom\n  helm package helm/sms-hub\n"
    )
