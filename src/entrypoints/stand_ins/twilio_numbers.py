"""Twilio's magic numbers (https://www.twilio.com/docs/iam/test-credentials), and more of the kind."""

from collections.abc import Mapping

from entrypoints.stand_ins.fates import Behaviour, Fate, Receipt, answers, refused

_SENT = Receipt("sent")
_DELIVERED = (_SENT, Receipt("delivered"))

ORDINARY = Fate(receipts=_DELIVERED)

RECIPIENTS: Mapping[str, Fate] = {
    **answers(_DELIVERED),
    "+15005550001": refused(21211),
    "+15005550002": refused(21612),
    "+15005550003": refused(21408),
    "+15005550004": refused(21610),
    "+15005550009": refused(21614),
    "+15005550015": Fate(answers=(Behaviour("hang-but-taken-and-forgotten"),)),
    "+15005550020": Fate(receipts=(_SENT, Receipt("undelivered", 30003))),
    "+15005550021": Fate(receipts=(_SENT, Receipt("failed", 30007))),
    "+15005550022": Fate(receipts=(_SENT, Receipt("failed", 30036))),
    "+15005550023": Fate(receipts=(_SENT,)),
}

SENDERS: Mapping[str, Fate] = {
    "+15005550001": refused(21212),
    "+15005550007": refused(21606),
    "+15005550008": refused(21611),
    "+15005550030": refused(10001, 403),
}
