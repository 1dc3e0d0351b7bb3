"""What texts come from: a number, short code or name, with the provider account that owns it."""

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from domain.errors import InvalidValue, NumberRefused
from domain.model.pace import Pace
from domain.model.phone_number import PhoneNumber

_SHORT_CODE = re.compile(r"\d{3,8}", re.ASCII)
_ALPHANUMERIC = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 .&_-]{1,11}", re.ASCII)
_MESSAGING_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SenderAddress:
    """A phone number in E.164, a short code of 3 to 8 digits, a name of up to 11 characters, or the SID of a
    Twilio messaging service. Raises `InvalidValue` for anything else.
    """

    value: str

    def __post_init__(self) -> None:
        if not (self.is_number or any(kind.fullmatch(self.value) for kind in _OTHER_KINDS)):
            raise InvalidValue(
                "A sender is a phone number with its + and country code, a short code of 3 to 8 digits, "
                "a name of up to 11 letters and digits, or a messaging service (MG…)."
            )

    @property
    def is_pool(self) -> bool:
        """A messaging service: many numbers, whose pace the provider sees to."""
        return _MESSAGING_SERVICE.fullmatch(self.value) is not None

    @property
    def is_number(self) -> bool:
        return self.value.startswith("+") and _reads_as_number(self.value)

    @property
    def region(self) -> str | None:
        """The country whose numbers may be written without `+` by those who use the sender; None: the hub's own."""
        return _region_of(self.value)


@lru_cache(10_000)  # Asked for with every text, of few senders.
def _region_of(address: str) -> str | None:
    return PhoneNumber(address).region if address.startswith("+") else None


_OTHER_KINDS = (_SHORT_CODE, _ALPHANUMERIC, _MESSAGING_SERVICE)


class OptOutReplies(Enum):
    """Who answers those that text STOP, START or HELP to a sender: two answers to one text are one too many."""

    PROVIDER = "provider"
    HUB = "hub"

    @classmethod
    def usual_with(cls, provider: str) -> "OptOutReplies":
        """Twilio answers by itself and does not tell, unless it is told to leave it; nobody else does."""
        return cls.PROVIDER if provider == "twilio" else cls.HUB


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """One for the whole hub, whoever uses it: programs that share it share its pace.

    `backlog_us` is how much the provider queues for it and paces by itself; 0: its texts leave at the pace. `account`
    is the provider's name of the account that it belongs to, `account_id` ours. `bar_reason` is why the provider takes
    nothing from it at all, `limit` the name of what it shares with others; None where that is not so.
    """

    id: int
    provider: str
    address: SenderAddress
    pace: Pace
    account_id: int = 0
    account: str = ""
    backlog_us: int = 0
    paused: bool = False
    bar_reason: str | None = None
    limit: str | None = None
    opt_out_replies: OptOutReplies = OptOutReplies.HUB

    def home_region(self, default: str) -> str:
        """The country of numbers that are written without `+`: the sender's own, or the hub's where it has none."""
        return self.address.region or default


def _reads_as_number(text: str) -> bool:
    try:
        return PhoneNumber.parse(text, region="US").e164 == text
    except NumberRefused:
        return False
