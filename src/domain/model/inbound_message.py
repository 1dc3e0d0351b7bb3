"""What people text back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from domain.model.keyword import Keyword


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundText:
    """As a provider hands it over. `addresses` are what the sender that it was texted to may be called, the likeliest
    first; `number` is who texted, in E.164 where that is a number. `answered`: the provider has taken it for a keyword
    and replied by itself.
    """

    addresses: Sequence[str]
    number: str = field(repr=False)
    text: str = field(repr=False)
    reference: str | None = None
    answered: bool = False


class InboundOutcome(Enum):
    """What came of a text that somebody sent."""

    KEPT = "kept"
    # Nobody knows whose it is: no program uses the sender, or several do and none has texted the number.
    NOBODYS = "nobodys"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMessage:
    """`sender` is the address that was texted; `keyword` what it was taken for, None for what only people understand.

    `answers` is the id of the program's last message to the number, where there was one; `reply` that of the message by
    which the hub has answered a keyword.
    """

    id: int
    program_id: str
    sender: str
    number: str = field(repr=False)
    text: str = field(repr=False)
    received_us: int
    keyword: Keyword | None = None
    answers: str | None = None
    reply: str | None = None
