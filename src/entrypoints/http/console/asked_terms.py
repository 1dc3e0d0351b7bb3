"""A program's terms as a form asks for them: in words, and with what each is like."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from domain.model.terms import OnUnknown, Terms
from entrypoints.terms import changed, of_options, option_of, written

_NONE = "none"


@dataclass(frozen=True, slots=True)
class Asked:
    """`name` is the property's. Where there are `choices`, by what is sent for them, one of them is picked; otherwise
    something is typed, in many lines if it is `long`.
    """

    name: str
    label: str
    hint: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    long: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    fields: Sequence[Asked]


_FLAG = {"off": "No", "on": "Yes"}

SECTIONS = (
    Section(
        "When texts go out",
        [
            Asked("TextingHours", "Hours", "By the recipients' clocks: Mo-Sa 09:00-20:00. Empty: at any time."),
            Asked("UrgentAnyTime", "Urgent texts at any time", choices=_FLAG),
            Asked("DuplicateWindow", "Hold back duplicates for", "PT10M is ten minutes. Empty: they are sent."),
            Asked("Failover", "Other senders take over", "What one of them surely cannot send.", _FLAG),
            Asked(
                "OnUnknown",
                "Texts that may have been sent",
                choices={OnUnknown.LEAVE.value: "Leave them", OnUnknown.RESEND.value: "Send them again"},
            ),
        ],
    ),
    Section(
        "What it may send",
        [
            Asked("Countries", "Countries", "US,CA, or own for those of its senders. Empty: all."),
            Asked("DailySegments", "Segments a day", "Empty: any number."),
            Asked("MonthlySegments", "Segments a month", "Empty: any number."),
            Asked("BudgetZone", "Time zone", "Where its days begin, such as America/Denver."),
            Asked("RecipientsPerRequest", "Numbers a request", "Empty: 10,000."),
            Asked("PerRecipient", "Texts to one number", "5/PT1H is five an hour. Empty: any number."),
            Asked("SegmentCap", "Segments a text", "24 at the most."),
        ],
    ),
    Section(
        "What people are told",
        [
            Asked("Notice", "Added to the first text", "To each number, once.", long=True),
            Asked("OptOutReply", "Answer to STOP", "Empty: the hub's own words.", long=True),
            Asked("OptInReply", "Answer to START", "Empty: the hub's own words.", long=True),
            Asked("HelpReply", "Answer to HELP", "Empty: the hub's own words.", long=True),
        ],
    ),
    Section(
        "Other",
        [
            Asked("Retention", "Texts are kept for", "P90D is 90 days. Empty: as long as all are."),
            Asked("TokenLifetime", "Tokens are good for", "PT8H is eight hours. Empty: as all are."),
            Asked("MailTo", "Mail instead of texts", "For trying things out: nobody is texted."),
        ],
    ),
)


def as_typed(terms: Terms) -> Mapping[str, str]:
    """By the property's name."""
    return {name: _typed(each) for name, each in written(terms).items()}


def with_typed(terms: Terms, fields: Mapping[str, str]) -> Terms:
    """What is empty is none. Raises `PropertyRefused`."""
    options = {
        option_of(asked.name).removeprefix("--").replace("-", "_"): fields[asked.name].strip() or _NONE
        for section in SECTIONS
        for asked in section.fields
        if asked.name in fields
    }
    return changed(terms, of_options(options))


def _typed(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "on" if value else "off"
        case list():
            return ",".join(value)
        case _:
            return str(value)
