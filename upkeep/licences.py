"""Whether the licence of every library that the hub is made of is one that we take: `make licences`.

The list stands in pyproject.toml under `tool.licences`. What is used for tests and documentation alone is not asked.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PIN = re.compile(r"^([a-z0-9._-]+)==", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Rules:
    """`stated` has what libraries mean that say it in words of their own, by their names."""

    allowed: frozenset[str]
    stated: Mapping[str, str]

    def take(self, licence: str) -> bool:
        """Of what is joined by AND each has to be allowed, of what is joined by OR one."""
        parts = re.sub(r"[()]", "", licence).split(" AND ")
        return all(any(name in self.allowed for name in part.split(" OR ")) for part in parts)


def rules(root: Path = ROOT) -> Rules:
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["licences"]
    return Rules(frozenset(table["allowed"]), table["stated"])


def pinned(root: Path = ROOT) -> list[str]:
    return sorted(set(_PIN.findall((root / "requirements" / "run.txt").read_text(encoding="utf-8"))))


def licence_of(library: str) -> str:
    """As the library's own metadata has it; empty where they say nothing."""
    found = metadata(library)
    classifiers = [each for each in found.get_all("Classifier") or [] if each.startswith("License :: OSI Approved :: ")]
    named = " AND ".join(each.rpartition(" :: ")[2] for each in classifiers)
    stated = (found["License"] or "").partition("\n")[0].strip()
    return found["License-Expression"] or named or stated


def refused(libraries: Iterable[str], by: Rules) -> Iterator[str]:
    for library in libraries:
        try:
            licence = by.stated.get(library) or licence_of(library)
        except PackageNotFoundError:
            sys.stderr.write(f"{library} is not installed here, so nobody looked at its licence.\n")
            continue
        if not by.take(licence):
            yield f"{library}: {licence or 'says nothing'}"


if __name__ == "__main__":
    names = pinned()
    found = list(refused(names, rules()))
    sys.stdout.write("\n".join([*found, f"{len(names)} libraries, {len(found)} of them with licences we do not take"]))
    sys.stdout.write("\n")
    sys.exit(1 if found else 0)
