"""A program's terms as operators write and read them: as properties of JSON, or as options of a command line."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from domain.errors import InvalidValue, naming
from domain.model.budget import Velocity
from domain.model.message_body import MAX_SEGMENTS
from domain.model.terms import OnUnknown, Terms
from domain.model.texting_hours import TextingHours
from entrypoints.durations import read_duration, written_duration

_NONE = "none"


def _as_it_is(value: Any) -> Any:  # noqa: ANN401 - JSON
    return value


@dataclass(frozen=True, slots=True)
class _Form:
    """How a kind of value is written. `of_json` and `written` are not asked of null; `of_text` makes JSON of an option.

    `default` is what null stands for, where there is a null.
    """

    of_json: Callable[[Any], object] = _as_it_is
    written: Callable[[Any], object] = _as_it_is
    of_text: Callable[[str], object] = _as_it_is
    default: object = None
    has_none: bool = True


def _read_count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidValue("That is no number.") from None


def _read_velocity(text: str) -> Velocity:
    texts, _, within = text.partition("/")
    return Velocity(_read_count(texts), read_duration(within))


def _written_velocity(velocity: Velocity) -> str:
    return f"{velocity.texts}/{written_duration(velocity.within)}"


_TEXT = _Form()
_FLAG = _Form(of_text=lambda text: text == "on", has_none=False)
# JSON's 5.0 is an integer, too.
_COUNT = _Form(of_json=int, of_text=_read_count)
_DURATION = _Form(of_json=read_duration, written=written_duration)

# By the names of their properties; those of the terms and of the options are the same words in other letters.
_FORMS: Mapping[str, _Form] = {
    "OnUnknown": _Form(of_json=OnUnknown, written=lambda each: each.value, has_none=False),
    "Failover": _FLAG,
    "Retention": _DURATION,
    "TextingHours": _Form(of_json=TextingHours.parse, written=str),
    "UrgentAnyTime": _FLAG,
    "DuplicateWindow": _DURATION,
    "Notice": _TEXT,
    "OptOutReply": _TEXT,
    "OptInReply": _TEXT,
    "HelpReply": _TEXT,
    "MailTo": _TEXT,
    "Countries": _Form(
        of_json=frozenset, written=sorted, of_text=lambda text: [each.strip() for each in text.split(",")]
    ),
    "DailySegments": _COUNT,
    "MonthlySegments": _COUNT,
    "BudgetZone": _Form(has_none=False),
    "RecipientsPerRequest": _COUNT,
    "PerRecipient": _Form(of_json=_read_velocity, written=_written_velocity),
    "SegmentCap": _Form(of_json=int, of_text=_read_count, default=MAX_SEGMENTS),
    "TokenLifetime": _DURATION,
}


def changed(terms: Terms, properties: Mapping[str, Any]) -> Terms:
    """The terms with those properties; others, such as a program's name, are passed over, and null is the default.

    Raises `PropertyRefused`.
    """
    for name, value in properties.items():
        if name in _FORMS:
            with naming(name):
                read: Any = _FORMS[name].default if value is None else _FORMS[name].of_json(value)
                terms = replace(terms, **{_attribute(name): read})
    return terms


def written(terms: Terms) -> dict[str, object]:
    """As properties, all of them."""
    return {name: _written(_FORMS[name], getattr(terms, _attribute(name))) for name in _FORMS}


def of_options(options: Mapping[str, str | None]) -> dict[str, object]:
    """Those that were given, as properties; `none` is null. Raises `PropertyRefused`."""
    found: dict[str, object] = {}
    for name, form in _FORMS.items():
        text = options.get(_attribute(name))
        if text is not None:
            with naming(name):
                found[name] = None if text == _NONE and form.has_none else form.of_text(text)
    return found


def option_of(name: str) -> str:
    return "--" + _attribute(name).replace("_", "-")


def told(terms: Terms) -> str:
    """In sentences: a line for each of them that is not as it is by default."""
    lines = [
        f"Unknown outcomes: {terms.on_unknown.value}.",
        f"Failover: {'on' if terms.failover else 'off'}.",
        f"Texts are kept: {_of_time(terms.retention) or 'as long as all are'}.",
    ]
    if terms.texting_hours is not None:
        urgent = ", urgent ones at any time" if terms.urgent_any_time else ""
        lines.append(f"Texts go out {terms.texting_hours}, by the recipients' clocks{urgent}.")
    if terms.duplicate_window is not None:
        lines.append(f"The same text to the same number is not sent twice within {_of_time(terms.duplicate_window)}.")
    if terms.notice is not None:
        lines.append(f"The first text to somebody ends: {terms.notice}")
    for what, words in (("STOP", terms.opt_out_reply), ("START", terms.opt_in_reply), ("HELP", terms.help_reply)):
        if words is not None:
            lines.append(f"{what} is answered: {words}")
    if terms.mail_to is not None:
        lines.append(f"Nobody is texted: its texts go to {terms.mail_to}.")
    return "\n".join([*lines, *_limits_told(terms)])


def _limits_told(terms: Terms) -> Iterator[str]:
    if terms.countries is not None:
        yield f"It texts numbers of: {', '.join(sorted(terms.countries))}."
    for period, segments in (("day", terms.daily_segments), ("month", terms.monthly_segments)):
        if segments is not None:
            yield f"It may send {segments} segments in a {period} ({terms.budget_zone})."
    if terms.recipients_per_request is not None:
        yield f"A request may have {terms.recipients_per_request} numbers."
    if terms.per_recipient is not None:
        yield f"One number may get so many texts: {_written_velocity(terms.per_recipient)}."
    if terms.segment_cap != MAX_SEGMENTS:
        yield f"A text may have {terms.segment_cap} segments."
    if terms.token_lifetime is not None:
        yield f"Its tokens are good for {_of_time(terms.token_lifetime)}."


def _written(form: _Form, value: object) -> object:
    return None if value is None else form.written(value)


def _of_time(duration: timedelta | None) -> str | None:
    return None if duration is None else written_duration(duration)


def _attribute(name: str) -> str:
    """`segment_cap` of `SegmentCap`."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).removeprefix("_")
