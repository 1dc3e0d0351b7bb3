import re
from dataclasses import dataclass
from typing import Self

from domain.errors import InvalidValue
from domain.model.credentials import Credentials

_SECRET = re.compile(r"[!-~]{8,200}")
_FORMS = {
    "account_sid": re.compile(r"AC[0-9a-fA-F]{32}"),
    "auth_token": _SECRET,
    "api_key": re.compile(r"SK[0-9a-fA-F]{32}"),
    "api_secret": _SECRET,
    "signature_secret": _SECRET,
}
_WITH_TOKEN = {"account_sid", "auth_token"}
_WITH_KEY = {"account_sid", "api_key", "api_secret"}
# What Twilio's calls are checked with; a key's own secret signs none.
_OPTIONAL = {"signature_secret", "auth_token"}
_EXPECTED = (
    "Twilio's credentials are account_sid (AC and 32 hexadecimal digits) with auth_token, or with api_key (SK and 32 "
    "hexadecimal digits) and api_secret; auth_token or signature_secret may be among them, to check Twilio's calls."
)


@dataclass(frozen=True, slots=True, repr=False)
class TwilioAccount:
    """`username` and `password` are those of the API: the SID and its token, or a key and its secret."""

    sid: str
    username: str
    password: str

    @classmethod
    def of(cls, credentials: Credentials) -> Self:
        """Raises `InvalidValue`, which names properties and shows no value."""
        values = credentials.values
        expected = _WITH_KEY if {"api_key", "api_secret"} & values.keys() else _WITH_TOKEN
        faults = {
            "missing": expected - values.keys(),
            "unknown": values.keys() - expected - _OPTIONAL,
            "malformed": {name for name, form in _FORMS.items() if name in values and not form.fullmatch(values[name])},
        }
        if any(faults.values()):
            found = "; ".join(f"{fault}: {', '.join(sorted(names))}" for fault, names in faults.items() if names)
            raise InvalidValue(f"{_EXPECTED} Found {found}.")
        if "api_key" in values:
            return cls(values["account_sid"], values["api_key"], values["api_secret"])
        return cls(values["account_sid"], values["account_sid"], values["auth_token"])
