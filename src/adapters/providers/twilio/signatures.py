"""Whether a call is Twilio's (https://www.twilio.com/docs/usage/webhooks/webhooks-security)."""

import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlparse

from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator, add_port, remove_port

from domain.model.credentials import Credentials


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What an account's calls are signed with: its auth token, or the shared key that it has instead.

    The account decides which, and no header of a call's: what an attacker may choose, the weakest link is chosen of.
    """

    secret: str = field(repr=False)
    algorithm: str

    @classmethod
    def of(cls, credentials: Credentials) -> Self | None:
        """None where the credentials have nothing to check signatures with, such as an API key alone."""
        if "signature_secret" in credentials.values:
            return cls(credentials.values["signature_secret"], HMAC_SHA256)
        if "auth_token" in credentials.values:
            return cls(credentials.values["auth_token"], HMAC_SHA1)
        return None

    def has_signed(self, url: str, fields: Sequence[tuple[str, object]], signature: str) -> bool:
        """`fields` are all that came in the form, whatever they are. Never raises."""
        given = signature.encode(errors="replace")
        try:
            return any(hmac.compare_digest(each.encode(), given) for each in self._signatures(url, fields))
        except Exception:  # noqa: BLE001 - what Twilio's library cannot make anything of, Twilio has not signed
            return False

    def _signatures(self, url: str, fields: Sequence[tuple[str, object]]) -> Iterator[str]:
        """As it is, and with the port and without, since Twilio's services differ in that."""
        validator, parsed, form = RequestValidator(self.secret), urlparse(url), _Form(fields)
        for each in dict.fromkeys((url, add_port(parsed), remove_port(parsed))):
            yield validator.compute_signature(each, form, self.algorithm)


class _Form(dict[str, list[object]]):
    """As the library wants a form in which a name may stand several times."""

    def __init__(self, fields: Sequence[tuple[str, object]]) -> None:
        super().__init__()
        for name, value in fields:
            self.setdefault(name, []).append(value)

    def getlist(self, name: str) -> list[object]:
        return self[name]
