"""Numbers that the sandbox does not simply deliver to, or send from: one for each way in which a text can fail.

All lie in +1 500 555 00xx, which no carrier assigns. Every other number is delivered, from every other sender.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.model.delivery import DeliveryState
from domain.model.send_outcome import (
    Accepted,
    Barred,
    CannotTell,
    EnquiryAnswer,
    Found,
    NotFound,
    NotSent,
    Refused,
    SendOutcome,
    Throttled,
    Unknown,
)

_REFERENCE = "sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """`sends` are the outcomes of the first, second … call, the last of them for all that follow. `answer` is what
    the sandbox says when it is asked later.
    """

    meaning: str
    sends: tuple[SendOutcome, ...]
    answer: EnquiryAnswer


_NEVER = CannotTell("no-receipt")
_ACCEPTED = Accepted(_REFERENCE)
_DELIVERED = Found(_REFERENCE, DeliveryState.DELIVERED)

MAGIC_NUMBERS: Mapping[str, Fate] = {
    "+15005550001": Fate(
        meaning="refused: not a number that exists", sends=(Refused("invalid-recipient"),), answer=_NEVER
    ),
    "+15005550002": Fate(meaning="refused: no route to it", sends=(Refused("unroutable"),), answer=_NEVER),
    "+15005550003": Fate(
        meaning="refused: the account may not text this country", sends=(Refused("country-not-allowed"),), answer=_NEVER
    ),
    "+15005550004": Fate(
        meaning="blocked: it has opted out at the provider",
        sends=(Refused("opted-out-at-provider", opted_out=True),),
        answer=_NEVER,
    ),
    "+15005550009": Fate(meaning="refused: it cannot receive texts", sends=(Refused("not-textable"),), answer=_NEVER),
    "+15005550010": Fate(
        meaning="throttled at the first call, then delivered",
        sends=(Throttled(retry_after_us=2_000_000), _ACCEPTED),
        answer=_DELIVERED,
    ),
    "+15005550011": Fate(
        meaning="no connection at the first call, then delivered",
        sends=(NotSent("no-connection"), _ACCEPTED),
        answer=_DELIVERED,
    ),
    "+15005550012": Fate(meaning="never a connection", sends=(NotSent("no-connection"),), answer=_NEVER),
    "+15005550013": Fate(
        meaning="no answer to the call, yet it was taken: unknown, then delivered",
        sends=(Unknown("no-answer"),),
        answer=_DELIVERED,
    ),
    "+15005550014": Fate(
        meaning="no answer to the call, and it was not taken: unknown, then sent again and delivered",
        sends=(Unknown("no-answer"), _ACCEPTED),
        answer=NotFound(),
    ),
    "+15005550015": Fate(
        meaning="no answer to the call, and nobody can tell: unknown for good",
        sends=(Unknown("no-answer"),),
        answer=_NEVER,
    ),
    "+15005550020": Fate(
        meaning="sent, then not delivered",
        sends=(_ACCEPTED,),
        answer=Found(_REFERENCE, DeliveryState.UNDELIVERED, "unreachable"),
    ),
    "+15005550021": Fate(
        meaning="sent, then filtered by the carrier",
        sends=(_ACCEPTED,),
        answer=Found(_REFERENCE, DeliveryState.FAILED, "filtered"),
    ),
    "+15005550022": Fate(
        meaning="sent, then expired", sends=(_ACCEPTED,), answer=Found(_REFERENCE, DeliveryState.EXPIRED, "expired")
    ),
    "+15005550023": Fate(meaning="sent, and never heard of again", sends=(_ACCEPTED,), answer=_NEVER),
}

# Whatever the number is that they send to.
MAGIC_SENDERS: Mapping[str, Fate] = {
    "+15005550030": Fate(
        meaning="nothing is taken from it: the account has no credit", sends=(Barred("no-credit"),), answer=NotFound()
    ),
}

ORDINARY = Fate(meaning="delivered", sends=(_ACCEPTED,), answer=_DELIVERED)
