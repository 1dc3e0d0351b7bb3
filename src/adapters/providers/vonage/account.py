import re
from dataclasses import dataclass
from enum import Enum
from typing import Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from adapters.providers.vonage.signatures import METHODS
from domain.errors import InvalidValue
from domain.model.credentials import Credentials


class Api(Enum):
    """Vonage has two for texts: the newer one for all channels, and the older one, which some accounts are tied to."""

    MESSAGES = "messages"
    SMS = "sms"


_SECRET = re.compile(r"[!-~]{8,200}")
_FORMS = {
    "api_key": re.compile(r"[0-9A-Za-z]{8}"),
    "api_secret": _SECRET,
    "application_id": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "signature_secret": _SECRET,
    "signature_method": re.compile("|".join(METHODS)),
}
_OPTIONAL = {"signature_secret", "signature_method", "api"}
_WITH_KEY = {"api_key", "api_secret"}
_WITH_APPLICATION = {"application_id", "private_key"}
_LEAST_KEY_BITS = 2_048
_EXPECTED = (
    "Vonage's credentials are api_key (8 letters and digits) with api_secret, or application_id with private_key (RSA, "
    "in PEM); signature_secret and signature_method (md5hash, md5, sha1, sha256 or sha512) may be among them, to check "
    "Vonage's calls, and api, which is messages or, with api_key alone, sms."
)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class VonageAccount:
    """Known by its API key or by an application's id; `secret` is what goes with it, a private key in PKCS #8.
    `signs`: whether there is something to check Vonage's calls with.
    """

    name: str
    secret: str
    by_application: bool
    api: Api
    signs: bool

    @classmethod
    def of(cls, credentials: Credentials) -> Self:
        """Raises `InvalidValue`, which names properties and shows no value."""
        values = credentials.values
        by_application = bool(_WITH_APPLICATION & values.keys())
        expected = _WITH_APPLICATION if by_application else _WITH_KEY
        apis = {Api.MESSAGES.value} if by_application else {each.value for each in Api}
        private_key = _pkcs8(values.get("private_key", ""))
        malformed = {name for name, form in _FORMS.items() if name in values and not form.fullmatch(values[name])}
        if "private_key" in values and private_key is None:
            malformed.add("private_key")
        if values.get("api", Api.MESSAGES.value) not in apis:
            malformed.add("api")
        faults = {
            "missing": expected - values.keys(),
            "unknown": values.keys() - expected - _OPTIONAL,
            "malformed": malformed,
        }
        if any(faults.values()):
            found = "; ".join(f"{fault}: {', '.join(sorted(names))}" for fault, names in faults.items() if names)
            raise InvalidValue(f"{_EXPECTED} Found {found}.")
        return cls(
            name=values["application_id" if by_application else "api_key"],
            secret=private_key or values["api_secret"],
            by_application=by_application,
            api=Api(values.get("api", Api.MESSAGES.value)),
            signs="signature_secret" in values,
        )


def _pkcs8(pem: str) -> str | None:
    """The one form that Vonage's library takes; None for what is no private key that signs with RS256."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError is for one that a password protects.
        return None
    if not isinstance(key, RSAPrivateKey) or key.key_size < _LEAST_KEY_BITS:
        return None
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
