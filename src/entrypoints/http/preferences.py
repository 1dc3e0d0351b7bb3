"""What a caller would like, in the header Prefer (RFC 7240)."""

import re
from dataclasses import dataclass
from typing import Self

LONGEST_WAIT_S = 30

_PREFERENCE = re.compile(
    r"""\s* (?P<name> [!#$%&'*+.^_`|~0-9A-Za-z-]+ ) \s*
        (?: = \s* (?: "(?P<quoted> [^"]*)" | (?P<plain> [^\s;,"]*) ) \s* )?
        (?: ; .* )?""",
    re.VERBOSE,
)
_SECONDS = re.compile(r"\d{1,1000}", re.ASCII)
# Commas within quotes part nothing.
_PART = re.compile(r"""(?: "[^"]*" | [^,"] )+""", re.VERBOSE)


@dataclass(frozen=True, slots=True)
class Preferences:
    """`wait_s` is how long to wait for an outcome, `LONGEST_WAIT_S` at the most; None where that was not asked for."""

    wait_s: int | None = None
    lenient: bool = False

    @classmethod
    def read(cls, header: str | None) -> Self:
        """Where one stands twice the first counts; what is not understood is passed over."""
        if header is None:
            return cls()
        values: dict[str, str] = {}
        for part in _PART.findall(header):
            if match := _PREFERENCE.fullmatch(part):
                values.setdefault(match["name"].lower(), match["quoted"] or match["plain"] or "")
        wait = values.get("wait", "")
        return cls(
            wait_s=min(int(wait), LONGEST_WAIT_S) if _SECONDS.fullmatch(wait) else None,
            lenient=values.get("handling", "").lower() == "lenient",
        )

    @property
    def applied(self) -> str:
        """The header Preference-Applied; empty for none."""
        named = [f"wait={self.wait_s}"] if self.wait_s is not None else []
        return ", ".join([*named, *(["handling=lenient"] if self.lenient else [])])
