"""Who somebody is, as an identity provider's claims have it."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import SignInRefused
from domain.model.staff import Person, is_group

_USUAL_NAMES = ("preferred_username", "email")
_LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
_LONGEST_NAME = 200
_MOST_GROUPS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNames:
    """`person` is the claim that names somebody; empty: `preferred_username`, `email` or `sub`, the first there is.
    `groups` is a list of groups, or one.
    """

    person: str
    groups: str

    def person_of(self, claims: Mapping[str, Any], *, issuer: str) -> Person:
        """Raises `SignInRefused`."""
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
            raise SignInRefused("no-subject")
        names = (self.person,) if self.person else _USUAL_NAMES
        name = next(filter(None, (_name(_believed(claims, each)) for each in names)), None)
        if name is None and self.person:
            raise SignInRefused("no-name")
        return Person(issuer=issuer, subject=subject, name=name or subject, groups=self._groups(claims))

    def _groups(self, claims: Mapping[str, Any]) -> tuple[str, ...]:
        found = _believed(claims, self.groups)
        listed: Sequence[Any] = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return tuple(each for each in listed[:_MOST_GROUPS] if isinstance(each, str) and is_group(each))


def _believed(claims: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - as the provider has it
    """None for an e-mail address that nobody has shown to be theirs."""
    return None if name == "email" and claims.get("email_verified") is False else claims.get(name)


def _name(found: object) -> str | None:
    if not isinstance(found, str):
        return None
    printable = "".join(each for each in unicodedata.normalize("NFC", found) if each.isprintable())
    return printable.strip()[:_LONGEST_NAME] or None
