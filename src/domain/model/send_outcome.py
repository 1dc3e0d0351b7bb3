"""What a call to a provider came to, and what a provider says when it is asked later.

The outcome classes decide whether a text may be sent again without the risk of a double.
"""

from dataclasses import dataclass

from domain.model.delivery import DeliveryState


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken it. `ask_after_us` is for providers that send no receipts of their own."""

    reference: str
    ask_after_us: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """For good. `opted_out`: because the recipient asked the provider not to be texted."""

    reason: str
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Throttled:
    """Surely not sent: too fast for the provider, which may say how long to wait."""

    retry_after_us: int | None = None


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely not sent, for a reason that may pass: no connection, or the provider is out of order and says so."""

    reason: str


@dataclass(frozen=True, slots=True)
class Barred:
    """Surely not sent, and neither will any other text of the sender be until somebody puts it right: credentials that
    are not accepted, an account without credit, a number that is not registered.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The call may have reached the provider and its answer did not reach us: never simply sent again."""

    reason: str


SendOutcome = Accepted | Refused | Throttled | NotSent | Barred | Unknown


@dataclass(frozen=True, slots=True)
class Found:
    """`state` is None while the provider has no verdict; then `ask_after_us` says when to ask again, None for never."""

    reference: str
    state: DeliveryState | None = None
    reason: str | None = None
    ask_after_us: int | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """The provider can be asked, and knows nothing of it at this moment."""


@dataclass(frozen=True, slots=True)
class CannotTell:
    """The provider cannot be asked, or did not answer; `ask_after_us` is None where asking again is of no use."""

    reason: str
    ask_after_us: int | None = None


EnquiryAnswer = Found | NotFound | CannotTell
