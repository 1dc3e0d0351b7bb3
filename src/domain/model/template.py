r"""Texts with placeholders, of which programs make many that differ in a few words.

`{{Name}}` is a placeholder, whatever the letter case of its name. A backslash before a brace takes it for what it is:
`\{{Name}}` is no placeholder. Of several backslashes before a brace, each pair stands for one; all others are
themselves.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from domain.errors import InvalidValue, PersonalisationRefused, TemplateRefused, TextRefused
from domain.model.message_body import MessageBody

MOST_TEMPLATES = 200
MOST_VERSIONS = 100
MOST_PLACEHOLDERS = 100

_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PLACEHOLDER = r"[A-Za-z0-9_]{1,50}"
# Too short and too wordy for a phone number, a key or a token.
_SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,29}|[0-9]{1,3}")
_SPECIAL = re.compile(
    rf"(?P<pair>\\\\)(?=\\*\{{) | \\(?P<brace>\{{) | \{{\{{ (?: (?P<name>{_PLACEHOLDER}) \}}\}} )?",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class TemplateName:
    """1 to 100 letters, digits, - and _, in any letter case."""

    value: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.value):
            raise InvalidValue("A template's name is 1 to 100 letters, digits, - and _.")

    @property
    def folded(self) -> str:
        return self.value.lower()


@dataclass(frozen=True, slots=True)
class _Placeholder:
    name: str

    @property
    def folded(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, repr=False)
class TemplateText:
    """What could be a message's text but for its placeholders, 100 different ones at the most.

    Raises `TextRefused`, `TemplateRefused` where two braces begin no placeholder, and `InvalidValue`.
    """

    text: str

    def __post_init__(self) -> None:
        MessageBody(self.text)
        if len(self.placeholders) > MOST_PLACEHOLDERS:
            raise InvalidValue(f"A template has {MOST_PLACEHOLDERS} placeholders at the most.")

    def __repr__(self) -> str:
        return f"TemplateText({len(self.text)} characters)"

    @cached_property
    def placeholders(self) -> Sequence[str]:
        """Their names as they are first written, in the order in which they first stand."""
        names: dict[str, str] = {}
        for each in self._parts:
            if isinstance(each, _Placeholder):
                names.setdefault(each.folded, each.name)
        return list(names.values())

    @cached_property
    def own_segments(self) -> int:
        """What it takes with nothing in its placeholders; 0 where nothing to be sent is left."""
        own = "".join(each for each in self._parts if isinstance(each, str))
        return MessageBody(own).segments if own.strip() else 0

    def filled(self, values: Mapping[str, str]) -> MessageBody:
        """With these in its placeholders, as they are: what looks like a placeholder in them is none.

        Raises `PersonalisationRefused` where a value is missing or not asked for, and `TextRefused`.
        """
        self._check(values)
        by_name = {name.lower(): value for name, value in values.items()}
        filled = "".join(each if isinstance(each, str) else by_name[each.folded] for each in self._parts)
        try:
            return MessageBody(filled)
        except TextRefused as refused:
            raise TextRefused(refused.reason, at="Personalisation") from None

    def _check(self, values: Mapping[str, str]) -> None:
        given = Counter(name.lower() for name in values)
        asked = {name.lower() for name in self.placeholders}
        missing = [name for name in self.placeholders if name.lower() not in given]
        doubled = [name for name in self.placeholders if given[name.lower()] > 1]
        unknown = [name for name in values if name.lower() not in asked]
        if missing or doubled or unknown:
            # What stands in place of a name may be anything, a phone number even: that is not repeated.
            shown = [name for name in unknown if _SHOWN.fullmatch(name)]
            raise PersonalisationRefused(
                missing=missing, doubled=doubled, unknown=shown, nameless=len(unknown) - len(shown)
            )

    @cached_property
    def _parts(self) -> Sequence[str | _Placeholder]:
        return list(_parts_of(self.text))


def _parts_of(text: str) -> Iterator[str | _Placeholder]:
    end = 0
    for found in _SPECIAL.finditer(text):
        yield text[end : found.start()]
        end = found.end()
        if found["pair"]:
            yield "\\"
        elif found["brace"]:
            yield "{"
        elif found["name"]:
            yield _Placeholder(found["name"])
        else:
            raise TemplateRefused(at=found.start() + 1)
    yield text[end:]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateVersion:
    """Never another text, whatever becomes of the template. Numbers begin at 1."""

    name: str
    number: int
    text: TemplateText
    created_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What is to be said in place of a text: a template, in its newest version for None, with these values."""

    template: TemplateName
    version: int | None = None
    values: Mapping[str, str] = field(default_factory=dict, repr=False)

    def asked(self) -> Sequence[Any]:
        """The same for all that ask for the same, as JSON."""
        return [self.template.folded, self.version, sorted((name.lower(), each) for name, each in self.values.items())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a text says, and which template it is made from; None for one that came in words of its own."""

    body: MessageBody
    template: TemplateVersion | None = None

    @property
    def at(self) -> str:
        """The property of a request that makes it as long as it is."""
        return "Message" if self.template is None else "Personalisation"
