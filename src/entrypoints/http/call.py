"""A request as a handler sees it: routed, authenticated, parsed and valid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.errors import TokenRefused, UnknownProperties
from domain.model.access import Grant, Scope


@dataclass(frozen=True, slots=True)
class Received:
    """What a provider's call is judged by. `url` is the hub's public address of the operation, with the query as it
    came; `headers` are by their names in lower case.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    fields: Sequence[tuple[str, Any]] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`unknown` names the properties that the contract does not know; they are not in `body`.

    `text` is a body that has no properties. `parameters` are those of path and query, with their types and defaults.
    `base_path` is where the hub is mounted. `received` is a provider's call alone, which has none of these.
    """

    operation_id: str
    bearer: Grant | None = None
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unknown: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""
    base_path: str = ""
    received: Received | None = None

    @property
    def grant(self) -> Grant:
        """Raises `TokenRefused` where the operation asked for no token."""
        if self.bearer is None:
            raise TokenRefused("none given")
        return self.bearer

    def posted_by(self, grant: Grant) -> Mapping[str, Any]:
        """The body. Raises `UnknownProperties`, unless the program's clients may post whole models."""
        if self.unknown and not grant.allows(Scope.FIRST_HUB_MODELS):
            raise UnknownProperties(self.unknown)
        return self.body
