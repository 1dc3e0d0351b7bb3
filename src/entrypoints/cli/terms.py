"""The options by which a program's terms are set."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from domain.errors import PropertyRefused
from domain.model.terms import OnUnknown, Terms
from entrypoints import terms as written_terms

F = TypeVar("F", bound=Callable[..., Any])

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
    click.option("--segment-cap", help="How many segments one text may have; none: 24."),
    click.option(
        "--token-lifetime", help="For how long its tokens are good, such as PT8H; none: as SMSHUB_TOKEN_LIFETIME says."
    ),
)


def terms_options(command: F) -> F:
    """Adds an option for each of the terms; `changed` takes what they were given."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def changed(given: Mapping[str, str | None]) -> Callable[[Terms], Terms]:
    """What was not given stays as it is. The change raises `click.BadParameter`, which names the option."""
    try:
        properties = written_terms.of_options(given)
    except PropertyRefused as error:
        raise _bad_option(error) from None

    def change(terms: Terms) -> Terms:
        try:
            return written_terms.changed(terms, properties)
        except PropertyRefused as error:
            raise _bad_option(error) from None

    return change


def warn_of_mail(terms: Terms, *, mail_from: str) -> None:
    """By the address alone: where this runs, there may be no need of the password that the server's has."""
    if terms.mail_to is not None and not mail_from:
        click.echo(
            "The hub has no mail server (SMSHUB_MAIL_URL, SMSHUB_MAIL_FROM): until it has, the program's texts fail.",
            err=True,
        )


def _bad_option(error: PropertyRefused) -> click.BadParameter:
    return click.BadParameter(str(error), param_hint=written_terms.option_of(error.name))
