"""The options by which a program's terms are set, and how they are shown."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import click

from domain.errors import InvalidValue
from domain.model.budget import Velocity
from domain.model.terms import OnUnknown, Terms
from domain.model.texting_hours import TextingHours
from entrypoints.durations import read_duration, written_duration

F = TypeVar("F", bound=Callable[..., Any])

_NONE = "none"

_OPTIONS = (
    click.option(
        "--on-unknown",
        type=click.Choice([each.value for each in OnUnknown]),
        help="What becomes of a text when nobody can tell whether it was sent: it is left so (the default), or sent "
        "again.",
    ),
    click.option(
        "--failover",
        type=click.Choice(["on", "off"]),
        help="Whether its other senders take over what one of them surely cannot send; off is the default.",
    ),
    click.option(
        "--retention",
        help="For how long its texts are kept, such as P30D. If not given, as long as SMSHUB_RETENTION says.",
    ),
    click.option(
        "--texting-hours",
        help='When people are texted, by their own clocks, such as "09:00-20:00" or "Mo-Sa 09:00-20:00, Su '
        '12:00-20:00"; none: at any time.',
    ),
    click.option(
        "--urgent-any-time",
        type=click.Choice(["on", "off"]),
        help="Whether its urgent texts go out at any time; off is the default.",
    ),
    click.option(
        "--duplicate-window",
        help="For how long the same text to the same number is not sent twice, such as PT10M; none: it always is.",
    ),
    click.option("--notice", help="What is added to the first text that somebody gets; none: nothing."),
    click.option("--opt-out-reply", help="What somebody is answered who texts STOP; none: the hub's own words."),
    click.option("--opt-in-reply", help="What somebody is answered who texts START; none: the hub's own words."),
    click.option("--help-reply", help="What somebody is answered who texts HELP; none: the hub's own words."),
    click.option(
        "--mail-to",
        help="For trying things out: the e-mail address that gets its texts in place of their recipients; none: nobody "
        "does.",
    ),
    click.option(
        "--countries",
        help="Whose numbers it texts, such as US,CA, or own for those of its senders; none: all countries'.",
    ),
    click.option("--daily-segments", help="How many segments it may send in a day; none: any number."),
    click.option("--monthly-segments", help="How many segments it may send in a month; none: any number."),
    click.option("--budget-zone", help="Where its days and months begin, such as America/Denver; UTC is the default."),
    click.option("--recipients-per-request", help="How many numbers a request may have; none: 10,000."),
    click.option(
        "--per-recipient", help="How many texts one number may get within a while, such as 5/PT1H; none: any number."
    ),
)


def terms_options(command: F) -> F:
    """Adds an option for each of the terms; `changed` takes what they were given."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def changed(given: Mapping[str, str | None]) -> Callable[[Terms], Terms]:
    """What was not given stays as it is. The change raises `InvalidValue`."""
    changes: dict[str, Any] = {name: _read(name, text) for name, text in given.items() if text is not None}

    def change(terms: Terms) -> Terms:
        try:
            return replace(terms, **changes)
        except InvalidValue as error:
            raise click.UsageError(str(error)) from None

    return change


def warn_of_mail(terms: Terms, *, mail_from: str) -> None:
    """By the address alone: where this runs, there may be no need of the password that the server's has."""
    if terms.mail_to is not None and not mail_from:
        click.echo(
            "The hub has no mail server (SMSHUB_MAIL_URL, SMSHUB_MAIL_FROM): until it has, the program's texts fail.",
            err=True,
        )


def shown(terms: Terms) -> Mapping[str, object]:
    return {
        "OnUnknown": terms.on_unknown.value,
        "Failover": terms.failover,
        "Retention": _written(terms.retention),
        "TextingHours": None if terms.texting_hours is None else str(terms.texting_hours),
        "UrgentAnyTime": terms.urgent_any_time,
        "DuplicateWindow": _written(terms.duplicate_window),
        "Notice": terms.notice,
        "OptOutReply": terms.opt_out_reply,
        "OptInReply": terms.opt_in_reply,
        "HelpReply": terms.help_reply,
        "MailTo": terms.mail_to,
        "Countries": None if terms.countries is None else sorted(terms.countries),
        "DailySegments": terms.daily_segments,
        "MonthlySegments": terms.monthly_segments,
        "BudgetZone": terms.budget_zone,
        "RecipientsPerRequest": terms.recipients_per_request,
        "PerRecipient": _written_velocity(terms.per_recipient),
    }


def told(terms: Terms) -> str:
    """A line for each of them that is not as it is by default."""
    lines = [
        f"Unknown outcomes: {terms.on_unknown.value}.",
        f"Failover: {'on' if terms.failover else 'off'}.",
        f"Texts are kept: {_written(terms.retention) or 'as long as all are'}.",
    ]
    if terms.texting_hours is not None:
        urgent = ", urgent ones at any time" if terms.urgent_any_time else ""
        lines.append(f"Texts go out {terms.texting_hours}, by the recipients' clocks{urgent}.")
    if terms.duplicate_window is not None:
        lines.append(f"The same text to the same number is not sent twice within {_written(terms.duplicate_window)}.")
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


def _read(name: str, text: str) -> object:
    option = "--" + name.replace("_", "-")
    try:
        return _READERS.get(name, _optional(str))(text)
    except InvalidValue as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _optional(reader: Callable[[str], object]) -> Callable[[str], object]:
    return lambda text: None if text == _NONE else reader(text)


def _read_count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidValue("That is no number.") from None


def _read_countries(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(","))


def _read_velocity(text: str) -> Velocity:
    texts, _, within = text.partition("/")
    return Velocity(_read_count(texts), read_duration(within))


_READERS: Mapping[str, Callable[[str], object]] = {
    "on_unknown": OnUnknown,
    "failover": lambda text: text == "on",
    "retention": _optional(read_duration),
    "texting_hours": _optional(TextingHours.parse),
    "urgent_any_time": lambda text: text == "on",
    "duplicate_window": _optional(read_duration),
    "countries": _optional(_read_countries),
    "daily_segments": _optional(_read_count),
    "monthly_segments": _optional(_read_count),
    "budget_zone": str,
    "recipients_per_request": _optional(_read_count),
    "per_recipient": _optional(_read_velocity),
}


def _written_velocity(velocity: Velocity | None) -> str | None:
    return None if velocity is None else f"{velocity.texts}/{written_duration(velocity.within)}"


def _written(duration: timedelta | None) -> str | None:
    return None if duration is None else written_duration(duration)
