"""The alphabet in which a text takes the least room (3GPP TS 23.038), and what to write instead of other characters."""

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")

# What word processors and telephones write by themselves.
_REPLACEMENTS = {
    "\u2018\u2019\u201a\u201b\u2032\u02bc\u0060\u00b4": "'",
    "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb": '"',
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212": "-",
    "\u2022\u00b7\u25cf\u25aa": "*",
    "\u00a0\u2002\u2003\u2007\u2009\u202f\u3000\t": " ",
    "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\ufe0e\ufe0f": "",
    "\u2028\u2029\u0085": "\n",
    "\u2039": "<",
    "\u203a": ">",
    "\u2044": "/",
    "\u00d7": "x",
    "\u00f7": "/",
    "\u00a6": "|",
    "\u0141": "L",
    "\u0142": "l",
    "\u0110\u00d0": "D",
    "\u0111\u00f0": "d",
    "\u0152": "OE",
    "\u0153": "oe",
    "\u0131": "i",
    "\u00de": "Th",
    "\u00fe": "th",
    "\u1e9e": "SS",
    "\u00a9": "(c)",
    "\u00ae": "(R)",
}
_INSTEAD = {character: instead for characters, instead in _REPLACEMENTS.items() for character in characters}


def is_gsm7(text: str) -> bool:
    return BASIC.issuperset(text) or all(character in BASIC or character in EXTENSION for character in text)


def instead_of(character: str) -> str | None:
    """What says the same within the alphabet: empty where nothing is lost without it, None where nothing will do.

    `character` is one that is not in the alphabet.
    """
    if character in _INSTEAD:
        return _INSTEAD[character]
    if unicodedata.combining(character):
        return ""
    # A letter without its accent, a ligature as its letters, a full-width digit as a digit.
    plain = "".join(part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part))
    instead = "".join(_INSTEAD.get(part, part) for part in plain)
    return instead if instead and is_gsm7(instead) else None


def simplified(text: str) -> str:
    """With all that something can be written for instead; the rest as it is."""
    return text if is_gsm7(text) else "".join(map(_simply, text))


def _simply(character: str) -> str:
    instead = None if is_gsm7(character) else instead_of(character)
    return character if instead is None else instead
