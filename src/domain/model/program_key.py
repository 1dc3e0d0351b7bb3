"""The secrets with which programs log in."""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from domain.errors import InvalidValue
from domain.model.access import KeyKind, Scope
from domain.model.phone_number import PhoneNumber

# So that one can be replaced by the other while both work.
MOST_LIVE_KEYS = 2
USUAL_SCOPES = frozenset({Scope.SEND, Scope.READ})

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECKSUM = 32, 6
_GENERATED = re.compile(rf"smshub_({'|'.join(each.value for each in KeyKind)})_([0-9A-Za-z]{{{_RANDOM + _CHECKSUM}}})")
_MOST_NUMBERS, _MOST_NETWORKS, _LONGEST_NAME = 100, 20, 100


@dataclass(frozen=True, slots=True, repr=False)
class ProgramKey:
    """A program's secret. Ours are random, so a fast hash of them is safe to store.

    They are written `smshub_live_` and 38 letters and digits, the last six a checksum (CRC-32) of what is before:
    whoever looks for secrets in the open finds them, and nothing else.
    """

    value: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.value) <= 500:
            raise InvalidValue("A ProgramKey is 1 to 500 characters.")

    def __repr__(self) -> str:
        return "ProgramKey(…)"

    @classmethod
    def generate(cls, kind: KeyKind = KeyKind.LIVE) -> "ProgramKey":
        written = f"smshub_{kind.value}_" + "".join(secrets.choice(_DIGITS) for _ in range(_RANDOM))
        return cls(written + _checksum(written))

    @property
    def is_generated(self) -> bool:
        """Whether it is one of ours, to the last letter; those of the first hub are not."""
        return _GENERATED.fullmatch(self.value) is not None and self.value.endswith(_checksum(self.value[:-_CHECKSUM]))

    @property
    def hint(self) -> str:
        """By which people tell it from others; nothing of a key that is not ours, which may be short."""
        return self.value[: -(_RANDOM + _CHECKSUM - 4)] + "…" if self.is_generated else "…"

    def hash(self, pepper: bytes | None = None) -> bytes:
        """SHA-256 of the key, keyed by the pepper where there is one. 32 bytes."""
        secret = self.value.encode(errors="surrogatepass")
        return hashlib.sha256(secret).digest() if pepper is None else hmac.digest(pepper, secret, "sha256")


@dataclass(frozen=True, slots=True, repr=False)
class KeyHash:
    """What is stored of a key. `pepper_id` names the pepper that was used; None for none."""

    digest: bytes
    pepper_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """What a key is good for. `numbers` are those that a team's key may text, 1 to 100 of them, and no other's.

    `networks` are those it may be used from, as addresses with a prefix (CIDR), 20 at the most; none: from anywhere.
    `expires_us` is when it ends; None: never. Raises `InvalidValue`.
    """

    kind: KeyKind = KeyKind.LIVE
    name: str = ""
    scopes: frozenset[Scope] = USUAL_SCOPES
    numbers: frozenset[PhoneNumber] = frozenset()
    networks: tuple[str, ...] = ()
    expires_us: int | None = None

    def __post_init__(self) -> None:
        if len(self.name) > _LONGEST_NAME or (self.name and not self.name.isprintable()):
            raise InvalidValue("A key's name has 100 printable characters at the most.")
        if not self.scopes:
            raise InvalidValue("A key allows something.")
        if (self.kind is KeyKind.TEAM) != bool(self.numbers) or len(self.numbers) > _MOST_NUMBERS:
            raise InvalidValue("A team's key has 1 to 100 numbers that it may text, and no other key has.")
        if len(self.networks) > _MOST_NETWORKS:
            raise InvalidValue("A key has 20 networks at the most.")
        for network in self.networks:
            try:
                ip_network(network)
            except ValueError:
                raise InvalidValue("A network is written as 198.51.100.0/24 or 2001:db8::/32.") from None

    def admits(self, address: str) -> bool:
        """Whether it may be used from there."""
        if not self.networks:
            return True
        try:
            came_from = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(came_from, "ipv4_mapped", None)
        return any((mapped or came_from) in ip_network(network) for network in self.networks)


USUAL_KEY = KeyTerms()


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedKey:
    """A key as the hub knows it, which is without its value. `hint` is how it begins. `last_used_us` is when somebody
    logged in with it last, to the minute; None: nobody has, or not since that is kept.
    """

    hash: KeyHash = field(repr=False)
    id: int = 0
    terms: KeyTerms = USUAL_KEY
    hint: str = ""
    created_us: int = 0
    last_used_us: int | None = None
    revoked_us: int | None = None

    def is_live(self, now_us: int) -> bool:
        ended = self.terms.expires_us is not None and self.terms.expires_us <= now_us
        return self.revoked_us is None and not ended


def _checksum(written: str) -> str:
    left, digits = zlib.crc32(written.encode()), ""
    while len(digits) < _CHECKSUM:
        left, digit = divmod(left, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits
