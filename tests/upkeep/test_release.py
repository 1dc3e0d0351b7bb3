"""A release, made on a clone: whatever bears the version changes in step, or nothing does."""

import os
import re
import subprocess
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from upkeep.release import DOCUMENT, RELEASED, ROOT, release


@pytest.fixture(autouse=True)
def _somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits as nobody in particular, whatever git is told on this machine."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Somebody")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "somebody@example.org")


def git(clone: Path, *command: str) -> str:
    done = subprocess.run(["git", *command], cwd=clone, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """With the files as they are here now, committed or not, and none of the tags."""
    git(tmp_path, "clone", "--quiet", "--no-tags", str(ROOT), "clone")
    there = tmp_path / "clone"
    for name in ("pyproject.toml", "CHANGELOG.md", "helm/sms-hub/Chart.yaml", str(DOCUMENT), str(RELEASED)):
        (there / name).write_bytes((ROOT / name).read_bytes())
    git(there, "commit", "--quiet", "--all", "--allow-empty", "--message", "As it is")
    return there


def refusal(clone: Path, version: str) -> str:
    """Why there is no such release. Nothing has changed, then."""
    before = git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain"), git(clone, "tag")
    with pytest.raises(SystemExit) as refused:
        release(version, clone)
    assert (git(clone, "rev-parse", "HEAD"), git(clone, "status", "--porcelain"), git(clone, "tag")) == before
    return str(refused.value)


def in_step(root: Path) -> list[str]:
    """The version, wherever it stands: of the project, the chart, what the chart installs, the image and, where there
    was a release, the changelog.
    """
    chart = yaml.safe_load((root / "helm/sms-hub/Chart.yaml").read_text())
    told = subprocess.run(["make", "-n", "image"], cwd=root, capture_output=True, text=True, check=True).stdout
    dated = re.findall(r"^## \[(\d.*?)\] - \d{4}-\d{2}-\d{2}$", (root / "CHANGELOG.md").read_text(), re.MULTILINE)
    return [
        tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"],
        *(chart["version"], chart["appVersion"]),
        *re.findall(r"--tag sms-hub:(\d\S*)", told),
        *dated[:1],
    ]


def test_the_version_is_the_same_wherever_it_stands(clone: Path) -> None:
    here = in_step(ROOT)
    assert len(here) >= 4
    assert set(here) == {here[0]}
    release("9.8.7", clone)
    assert in_step(clone) == ["9.8.7"] * 5


def test_all_that_bears_the_version_has_the_new_one_in_one_commit_with_a_tag(clone: Path) -> None:
    before = git(clone, "rev-parse", "HEAD")
    release("9.8.7", clone)
    assert tomllib.loads((clone / "pyproject.toml").read_text())["project"]["version"] == "9.8.7"
    chart = yaml.safe_load((clone / "helm/sms-hub/Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == ("9.8.7", "9.8.7")
    assert (clone / RELEASED).read_bytes() == (clone / DOCUMENT).read_bytes()
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "rev-list", f"{before}..HEAD") == git(clone, "rev-parse", "v9.8.7^{commit}")
    assert git(clone, "cat-file", "-t", "v9.8.7") == "tag"
    assert git(clone, "log", "-1", "--format=%s") == "Release 9.8.7"


def test_what_was_unreleased_stands_under_the_version_and_its_date(clone: Path) -> None:
    before = (clone / "CHANGELOG.md").read_text()
    release("9.8.7", clone)
    after = (clone / "CHANGELOG.md").read_text()
    heading = f"## [9.8.7] - {datetime.now(UTC).date()}"
    assert re.findall(r"^## .*", after, re.MULTILINE)[:2] == ["## [Unreleased]", heading]
    assert after.replace(f"\n{heading}\n", "", 1) == before


def test_nothing_but_that_is_changed(clone: Path) -> None:
    release("9.8.7", clone)
    changed = git(clone, "diff", "--name-only", "HEAD~1").splitlines()
    assert set(changed) <= {"pyproject.toml", "helm/sms-hub/Chart.yaml", "CHANGELOG.md", str(RELEASED)}
    numbers = git(clone, "diff", "--numstat", "HEAD~1", "--", "pyproject.toml", "helm/sms-hub/Chart.yaml")
    assert [line.split()[:2] for line in numbers.splitlines()] == [["2", "2"], ["1", "1"]]


def test_the_image_gets_the_version_as_its_tag(clone: Path) -> None:
    release("9.8.7", clone)
    done = subprocess.run(["make", "-n", "image"], cwd=clone, capture_output=True, text=True, check=True)
    assert "--tag sms-hub:9.8.7" in done.stdout
    assert "--build-arg VERSION=9.8.7" in done.stdout


def test_nothing_leaves_the_machine(clone: Path) -> None:
    origin = git(clone, "ls-remote", "origin")
    release("9.8.7", clone)
    assert git(clone, "ls-remote", "origin") == origin


def test_there_is_none_with_changes_that_are_not_committed(clone: Path) -> None:
    (clone / "README.md").write_text("Something else")
    assert "not committed" in refusal(clone, "9.8.7")


def test_there_is_none_with_a_file_that_git_does_not_know(clone: Path) -> None:
    (clone / "notes.txt").write_text("Something new")
    assert "not committed" in refusal(clone, "9.8.7")


def test_there_is_none_twice(clone: Path) -> None:
    release("9.8.7", clone)
    assert "v9.8.7 already" in refusal(clone, "9.8.7")


def test_there_is_none_of_an_earlier_version(clone: Path) -> None:
    release("9.8.7", clone)
    assert "comes before 9.8.7" in refusal(clone, "9.8.6")


def test_there_is_none_in_which_nothing_changes(clone: Path) -> None:
    release("9.8.7", clone)
    assert "nothing under [Unreleased]" in refusal(clone, "9.8.8")


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3-rc1", "01.2.3", "1.2.3\n"])
def test_there_is_none_of_what_is_no_version(clone: Path, version: str) -> None:
    assert "is no version" in refusal(clone, version)


def test_what_breaks_clients_is_a_new_major_version(clone: Path) -> None:
    document = yaml.safe_load((clone / RELEASED).read_text())
    document["paths"]["/api/Gone"] = document["paths"]["/api/Login"]
    (clone / RELEASED).write_text(yaml.safe_dump(document))
    git(clone, "commit", "--quiet", "--all", "--message", "An operation that is gone since")
    assert "new major version" in refusal(clone, "0.9.0")
    release("1.0.0", clone)
    assert git(clone, "tag") == "v1.0.0"
