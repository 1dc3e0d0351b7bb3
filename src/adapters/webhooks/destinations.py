"""Where the hub goes when others say where: to public addresses, and to networks that the operator has named."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

from domain.errors import UrlRefused

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_LONGEST = 2_000
_FIRST_OF_ANYBODY = 1_024
_WELL_KNOWN = frozenset({80, 443})
_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits.
# Beside what the standard library counts as not global: IETF protocol assignments, relays of 6to4, and for IPv6 the
# addresses of 6to4, Teredo and ORCHID, which stand for others.
_NEVER: Sequence[Network] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("2001::/23"),
    IPv6Network("2002::/16"),
)


class AddressRefused(OSError):
    """What a name leads to is not to be connected to."""


@dataclass(frozen=True)
class Destinations:
    """`private` are those networks that are open although they are nobody else's."""

    private: Sequence[Network] = ()

    def parsed(self, url: str) -> SplitResult:
        """Raises `UrlRefused`; what its name leads to is not looked at."""
        if len(url) > _LONGEST or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
            raise UrlRefused("cannot be read")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise UrlRefused("cannot be read") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and self.private):
            raise UrlRefused("does not begin with https://")
        if not parts.hostname:
            raise UrlRefused("names no host")
        if parts.username is not None or parts.password is not None:
            raise UrlRefused("has a user's name in it")
        if parts.fragment:
            raise UrlRefused("has a fragment")
        if port is not None and port not in _WELL_KNOWN and port < _FIRST_OF_ANYBODY:
            raise UrlRefused("has a port that is another service's")
        address = _address(parts.hostname)
        if address is not None:
            self.admit(address, encrypted=parts.scheme == "https")
        return parts

    def admit(self, address: Address, *, encrypted: bool) -> None:
        """Raises `UrlRefused`. Without TLS, networks of the operator's alone are gone to."""
        meant = _meant(address)
        if any(meant in network for network in self.private if network.version == meant.version):
            return
        if not encrypted:
            raise UrlRefused("is not encrypted, and not on a network that is open to that")
        if not _is_public(meant):
            raise UrlRefused("leads to a network that is not public")

    def check_connection(self, host: str, *, encrypted: bool) -> None:
        """Raises `AddressRefused`. `host` is the address that is about to be connected to, not a name."""
        address = _address(host)
        try:
            if address is not None:
                self.admit(address, encrypted=encrypted)
                return
        except UrlRefused:
            pass
        raise AddressRefused


def networks(written: Sequence[str]) -> Sequence[Network]:
    """Raises ValueError."""
    return [ipaddress.ip_network(each) for each in written]


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address not in _UNICAST or address.scope_id):
        return False
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved
