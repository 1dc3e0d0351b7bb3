"""Magic numbers of the stand-in for Vonage, which has none of its own: the same for both of its APIs."""

from collections.abc import Mapping

from entrypoints.stand_ins.fates import Behaviour, Fate, Receipt, answers, refused

_SUBMITTED = Receipt("submitted")
_DELIVERED = (_SUBMITTED, Receipt("delivered"))

ORDINARY = Fate(receipts=_DELIVERED)

RECIPIENTS: Mapping[str, Fate] = {
    **answers(_DELIVERED),
    "+15005550001": refused("1170"),
    "+15005550002": refused("1250"),
    "+15005550003": refused("1474"),
    "+15005550004": Fate(receipts=(_SUBMITTED, Receipt("rejected", "1240"))),
    "+15005550009": refused("1310"),
    "+15005550015": Fate(answers=(Behaviour("hang-but-taken"),)),
    "+15005550020": Fate(receipts=(_SUBMITTED, Receipt("undeliverable", "1260"))),
    "+15005550021": Fate(receipts=(_SUBMITTED, Receipt("rejected", "1210"))),
    "+15005550022": Fate(receipts=(_SUBMITTED, Receipt("undeliverable", "1360"))),
    "+15005550023": Fate(receipts=(_SUBMITTED,)),
}

SENDERS: Mapping[str, Fate] = {
    "+15005550001": refused("1120"),
    "+15005550007": refused("1120"),
    "+15005550008": refused("1000", 429),
    "+15005550030": refused("low-balance", 402),
}

_ACCEPTED = Receipt("accepted", "0")
_DELIVERED_BY_SMS = (_ACCEPTED, Receipt("delivered", "0"))

SMS_ORDINARY = Fate(receipts=_DELIVERED_BY_SMS)

SMS_RECIPIENTS: Mapping[str, Fate] = {
    **answers(_DELIVERED_BY_SMS),
    "+15005550001": refused("6"),
    "+15005550002": refused("22"),
    "+15005550003": refused("7"),
    "+15005550004": Fate(receipts=(_ACCEPTED, Receipt("failed", "9"))),
    "+15005550009": refused("33"),
    "+15005550015": Fate(answers=(Behaviour("hang-but-taken"),)),
    "+15005550020": Fate(receipts=(_ACCEPTED, Receipt("failed", "12"))),
    "+15005550021": Fate(receipts=(_ACCEPTED, Receipt("rejected", "6"))),
    "+15005550022": Fate(receipts=(_ACCEPTED, Receipt("expired", "2"))),
    "+15005550023": Fate(receipts=(_ACCEPTED,)),
}

SMS_SENDERS: Mapping[str, Fate] = {
    "+15005550001": refused("15"),
    "+15005550007": refused("15"),
    "+15005550008": refused("10"),
    "+15005550030": refused("9"),
}
