"""Words by which people say that they want no more texts, texts again, or to know who texts them."""

import re
import unicodedata
from enum import Enum

# What FCC 47 CFR 64.1200(a)(10) names, what carriers and providers take beside it, and two languages of neighbours.
_OPT_OUT = {
    *("stop", "stop all", "stopall", "stop please", "please stop", "unsubscribe", "cancel", "end", "quit"),
    *("opt out", "optout", "revoke", "remove", "remove me"),
    *("alto", "parar", "arret", "arreter"),
}
_OPT_IN = {"start", "unstop", "yes", "opt in", "optin", "subscribe"}
_HELP = {"help", "info", "ayuda", "aide"}

_APART = re.compile(r"[^\w]+|_")


class Keyword(Enum):
    """What somebody who texts back wants to happen."""

    OPT_OUT = "opt-out"
    OPT_IN = "opt-in"
    HELP = "help"

    @classmethod
    def of(cls, text: str) -> "Keyword | None":
        """The keyword that a text is, the whole of it: case, accents, punctuation, quotes and emoji do not matter.

        None for everything else: of "end of class?" or "please don't stop" nobody but a person knows what is meant.
        """
        return _KEYWORDS.get(_normalised(text))


_KEYWORDS = {
    **dict.fromkeys(_OPT_OUT, Keyword.OPT_OUT),
    **dict.fromkeys(_OPT_IN, Keyword.OPT_IN),
    **dict.fromkeys(_HELP, Keyword.HELP),
}
_LONGEST = max(map(len, _KEYWORDS))


def _normalised(text: str) -> str:
    # Whatever is much longer is none, and need not be looked at.
    if len(text) > 10 * _LONGEST:
        return ""
    folded = unicodedata.normalize("NFKD", text).casefold()
    without_accents = "".join(each for each in folded if not unicodedata.combining(each))
    return _APART.sub(" ", without_accents).strip()
