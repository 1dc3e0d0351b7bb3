"""How a key of a ring is replaced while the hub works: step by step, each of them for all processes."""

import os
import re
import stat
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from domain.errors import InvalidValue
from entrypoints.settings import key_ring

_MADE_AT = "k%Y%m%d%H%M%S"
_MADE_BY_US = re.compile(r"k\d{14}", re.ASCII)
_ANY_VARIABLE = re.compile(r"^\s*(export\s+)?[A-Za-z_][A-Za-z0-9_]*=", re.MULTILINE)


class Step(Enum):
    ADD = "add"
    USE = "use"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Ring:
    """`keys` are as they are written, by their ids and in their order."""

    keys: dict[str, str] = field(repr=False)

    @classmethod
    def read(cls, written: str) -> Self:
        """Raises `InvalidValue`."""
        try:
            key_ring(SecretStr(written))
        except ValueError as error:
            raise InvalidValue(f"The ring {error}.") from None
        entries = filter(None, (part.strip() for part in written.split(",")))
        return cls({entry.partition(":")[0]: entry for entry in entries})

    @property
    def written(self) -> str:
        return ",".join(self.keys.values())

    @property
    def next_step(self) -> Step:
        """Raises `InvalidValue` where the keys' ids do not tell which is the newest."""
        if len(self.keys) < 2:
            return Step.ADD
        newest = self._newest
        if newest is None:
            raise InvalidValue("Which key is the newest cannot be told: say by --step what is to be done.")
        return Step.DROP if next(iter(self.keys)) == newest else Step.USE

    @property
    def new_id(self) -> str:
        """The present time, and later than that of any key here."""
        at_s = time.time()
        while (key_id := time.strftime(_MADE_AT, time.gmtime(at_s))) <= (self._newest or ""):
            at_s += 1
        return key_id

    def expect_older(self, lifetime: timedelta) -> None:
        """Raises `InvalidValue` where the newest key is too young for all tokens of the others to have expired."""
        made_at = _made_at(self._newest or "")
        if made_at is not None and datetime.now(UTC) < made_at + lifetime:
            raise InvalidValue(
                f"Key {self._newest} is younger than tokens get: those that the other keys signed may be good still. "
                "Wait for as long as SMSHUB_TOKEN_LIFETIME says, or say --step drop."
            )

    def with_key(self, entry: str) -> "Ring":
        return Ring({**self.keys, entry.partition(":")[0]: entry})

    def with_newest_first(self) -> "Ring":
        """The last one, where their ids tell nothing: there a new key is put."""
        if len(self.keys) < 2:
            raise InvalidValue("The ring has no second key that could be used.")
        newest = self._newest or list(self.keys)[-1]
        return Ring({newest: self.keys[newest], **self.keys})

    def with_first_alone(self) -> "Ring":
        return Ring(dict(list(self.keys.items())[:1]))

    @property
    def _newest(self) -> str | None:
        return max(filter(_made_at, self.keys), default=None)


def _made_at(key_id: str) -> datetime | None:
    """None for ids that tell nothing."""
    if not _MADE_BY_US.fullmatch(key_id):
        return None
    try:
        return datetime.strptime(key_id, _MADE_AT).replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class RingFile:
    """A file with lines such as `SMSHUB_SIGNING_KEYS=…`, or with a ring alone."""

    path: Path
    before: str = field(repr=False)
    ring: Ring
    after: str = field(repr=False)

    @classmethod
    def read(cls, path: Path, variable: str) -> Self:
        """Raises `InvalidValue`."""
        try:
            text = path.read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            raise InvalidValue(f"{path} cannot be read.") from None
        line = re.compile(rf"^[ \t]*(?:export[ \t]+)?{variable}=(['\"]?)([^'\"\r\n]*)\1[ \t\r]*$", re.MULTILINE)
        found: Sequence[re.Match[str]] = list(line.finditer(text))
        if len(found) == 1:
            begin, end = found[0].span(2)
        elif found or _ANY_VARIABLE.search(text):
            raise InvalidValue(f"{path} does not set {variable} once, in a line of its own.")
        else:
            begin, end = 0, len(text.rstrip())
        return cls(path, text[:begin], Ring.read(text[begin:end]), text[end:])

    def write(self, ring: Ring) -> None:
        """At once or not at all; whose it is and who may read it stays. Raises `InvalidValue`."""
        # Where it is a link, that stays one.
        path = self.path.resolve()
        try:
            was = path.stat()
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
            ) as made:
                try:
                    if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
                        os.fchown(made.fileno(), was.st_uid, was.st_gid)
                    os.fchmod(made.fileno(), stat.S_IMODE(was.st_mode))
                    made.write(self.before + ring.written + self.after)
                    made.flush()
                    os.fsync(made.fileno())
                    Path(made.name).replace(path)
                except BaseException:
                    Path(made.name).unlink()
                    raise
        except OSError as error:
            raise InvalidValue(f"{self.path} cannot be written: {error.strerror}.") from None
