"""What stand-ins do to texts: as a test scripts it, or as the magic numbers have it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(slots=True)
class Behaviour:
    """What is done to the next `count` texts, None for all; to those of one number where `to` is set.

    `name` is one of the stand-in's `DEEDS`. `code` and `status` are the error's, None for the usual ones; `retry_after`
    is the header as it is sent.
    """

    name: str
    count: int | None = 1
    to: str | None = None
    code: Any = None
    status: int | None = None
    retry_after: str | None = None
    delay_s: float = 0.02


class Receipt(NamedTuple):
    """One of the provider's statuses of a text, with the error's code where there is an error."""

    status: str
    code: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of the texts to a number, or from a sender.

    `answers` are what is done at the first, second … call with the same text, and then all over again; None is to take
    it. `receipts` follow one after the other where it was taken.
    """

    answers: tuple[Behaviour | None, ...] = (None,)
    receipts: tuple[Receipt, ...] = ()


# The numbers are those of the hub's own sandbox where the same becomes of a text, and Twilio's own where it has some.
# No carrier assigns any of them.
RECIPIENTS: Mapping[str, str] = {
    "+15005550001": "refused: not a number that exists",
    "+15005550002": "refused: no route to it",
    "+15005550003": "refused: the account may not text this country",
    "+15005550004": "it has opted out: Twilio refuses it, Vonage takes it and says so by a receipt",
    "+15005550009": "refused: it cannot receive texts",
    "+15005550010": "throttled at the first call, then delivered",
    "+15005550013": "no answer to the call, yet it was taken, and is delivered",
    "+15005550014": "no answer to the first call, and it was not taken; the second is, and delivered",
    "+15005550015": "no answer to the call, it was taken, and nobody can tell",
    "+15005550016": "status 500 at the first call, and it was not taken; then delivered",
    "+15005550017": "status 502, yet it was taken, and is delivered",
    "+15005550018": "answered after three seconds, then delivered",
    "+15005550019": "the connection drops before the answer, yet it was taken, and is delivered",
    "+15005550020": "sent, then not delivered",
    "+15005550021": "sent, then filtered by the carrier",
    "+15005550022": "sent, then expired",
    "+15005550023": "sent, and never heard of again",
    "+15005550024": "delivered, with receipts that come twice and in the wrong order",
}

SENDERS: Mapping[str, str] = {
    "+15005550001": "refused: not a sender that exists",
    "+15005550007": "refused: not a sender of the account",
    "+15005550008": "throttled: too many texts wait for it",
    "+15005550030": "nothing is taken from it: the account has no credit, or is suspended",
}


def answers(receipts: tuple[Receipt, ...]) -> Mapping[str, Fate]:
    """The numbers whose first call is not answered as it should be, of any provider. `receipts` are of what is
    delivered.
    """
    throttled = Behaviour("429", retry_after="2")
    return {
        "+15005550010": Fate(answers=(throttled, None), receipts=receipts),
        "+15005550013": Fate(answers=(Behaviour("hang-but-taken"),), receipts=receipts),
        "+15005550014": Fate(answers=(Behaviour("hang"), None), receipts=receipts),
        "+15005550016": Fate(answers=(Behaviour("500"), None), receipts=receipts),
        "+15005550017": Fate(answers=(Behaviour("502-but-taken"),), receipts=receipts),
        "+15005550018": Fate(answers=(Behaviour("slow", delay_s=3.0),), receipts=receipts),
        "+15005550019": Fate(answers=(Behaviour("reset-before-answer"),), receipts=receipts),
        "+15005550024": Fate(receipts=receipts[::-1] + receipts[-1:]),
    }


def refused(code: object, status: int | None = None) -> Fate:
    return Fate(answers=(Behaviour("error", code=code, status=status),))
