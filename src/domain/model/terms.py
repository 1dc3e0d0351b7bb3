"""How a program's texts are dealt with, as its operator has agreed with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from domain.errors import InvalidValue
from domain.model.budget import Budget, Velocity, check_segments, check_zone, daily_budget, monthly_budget
from domain.model.message_body import MAX_SEGMENTS, MessageBody
from domain.model.pace import SECOND_US
from domain.model.phone_number import is_region
from domain.model.priority import Priority
from domain.model.recipients import MAX_RECIPIENTS
from domain.model.texting_hours import TextingHours

# Stands for the countries of the program's own senders.
OWN_COUNTRIES = "own"

_SHORTEST_RETENTION = timedelta(days=1)
_SHORTEST_TOKEN, _LONGEST_TOKEN = timedelta(minutes=1), timedelta(days=366)
_LONGEST_DUPLICATE_WINDOW = timedelta(days=7)
_MOST_SEGMENTS_OF_A_REPLY = 3
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?", re.ASCII)


def is_mail_address(text: str) -> bool:
    return _ADDRESS.fullmatch(text) is not None


class OnUnknown(Enum):
    """What becomes of a text when nobody can tell whether it was sent."""

    LEAVE = "leave"  # It stays as it is, for people to see: the recipient never gets it twice.
    RESEND = "resend"  # It is sent again: the recipient may get it twice.


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`failover`: what one of the program's senders surely cannot send, the next that can takes over. `retention` is
    for how long its texts are kept, a day or longer; None: as long as the hub keeps any.

    `texting_hours` are those in which people are texted, by their own clocks; None: at any time. `urgent_any_time`:
    urgent texts go out at any time all the same.

    `duplicate_window` is for how long the same text to the same number is not sent twice, seven days at the most; None:
    it always is. `notice` is added to the first text that somebody gets. `opt_out_reply`, `opt_in_reply` and
    `help_reply` are what somebody is answered who texts such a word; None: the hub's own words. `mail_to` is the
    e-mail address that gets all texts in place of their recipients; None: nobody does.

    `countries` are those that are texted (ISO 3166-1 alpha-2), or `own`; None: all. `daily_segments` and
    `monthly_segments` are what may be sent in a day and a month of `budget_zone`, None: any number;
    `recipients_per_request` is how many numbers one request may have, and `per_recipient` how many texts one number may
    get; None: as many as anybody. `segment_cap` is how many segments a text may take. `token_lifetime` is for how long
    its tokens are good, a minute to 366 days; None: as long as the hub's are.

    Raises `InvalidValue`, and `TextRefused` for words that cannot be sent.
    """

    on_unknown: OnUnknown = OnUnknown.LEAVE
    failover: bool = False
    retention: timedelta | None = None
    texting_hours: TextingHours | None = None
    urgent_any_time: bool = False
    duplicate_window: timedelta | None = None
    notice: str | None = None
    opt_out_reply: str | None = None
    opt_in_reply: str | None = None
    help_reply: str | None = None
    mail_to: str | None = field(default=None, repr=False)
    countries: frozenset[str] | None = None
    daily_segments: int | None = None
    monthly_segments: int | None = None
    budget_zone: str = "UTC"
    recipients_per_request: int | None = None
    per_recipient: Velocity | None = None
    segment_cap: int = MAX_SEGMENTS
    token_lifetime: timedelta | None = None

    @property
    def duplicate_window_us(self) -> int | None:
        return None if self.duplicate_window is None else int(self.duplicate_window.total_seconds() * SECOND_US)

    @property
    def most_recipients(self) -> int:
        return MAX_RECIPIENTS if self.recipients_per_request is None else self.recipients_per_request

    def budgets_at(self, at_us: int) -> Sequence[Budget]:
        """Those that a text counts against which is accepted at that time."""
        budgets = []
        if self.daily_segments is not None:
            budgets.append(daily_budget(self.daily_segments, self.budget_zone, at_us))
        if self.monthly_segments is not None:
            budgets.append(monthly_budget(self.monthly_segments, self.budget_zone, at_us))
        return budgets

    def __post_init__(self) -> None:
        # For so long a repeated request is answered as the first was.
        if self.retention is not None and self.retention < _SHORTEST_RETENTION:
            raise InvalidValue("Texts are kept for a day (P1D) or longer.")
        if self.duplicate_window is not None and not (
            timedelta(seconds=1) <= self.duplicate_window <= _LONGEST_DUPLICATE_WINDOW
        ):
            raise InvalidValue("Duplicates are held back for a second to seven days (PT1S to P7D).")
        for words in (self.notice, self.opt_out_reply, self.opt_in_reply, self.help_reply):
            if words is not None and MessageBody(words).segments > _MOST_SEGMENTS_OF_A_REPLY:
                raise InvalidValue("A notice or reply has three segments at the most.")
        if self.mail_to is not None and not is_mail_address(self.mail_to):
            raise InvalidValue("That is no e-mail address.")
        for country in self.countries or ():
            if country != OWN_COUNTRIES and not is_region(country):
                raise InvalidValue("A country is written as US (ISO 3166-1 alpha-2), the senders' own as own.")
        check_segments(self.daily_segments)
        check_segments(self.monthly_segments)
        check_zone(self.budget_zone)
        self._check_caps()

    def _check_caps(self) -> None:
        if not 1 <= self.most_recipients <= MAX_RECIPIENTS:
            raise InvalidValue("A request has 1 to 10,000 numbers.")
        if not 1 <= self.segment_cap <= MAX_SEGMENTS:
            raise InvalidValue(f"A text has 1 to {MAX_SEGMENTS} segments.")
        if self.token_lifetime is not None and not _SHORTEST_TOKEN <= self.token_lifetime <= _LONGEST_TOKEN:
            raise InvalidValue("A token is good for a minute to 366 days (PT1M to P366D).")

    def hours_for(self, priority: Priority) -> TextingHours | None:
        return None if self.urgent_any_time and priority is Priority.URGENT else self.texting_hours


USUAL_TERMS = Terms()
