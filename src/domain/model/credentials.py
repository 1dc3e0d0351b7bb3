"""What a provider knows its customer by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from domain.errors import InvalidValue

_MOST_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """Names and values as the provider calls them; what they must be, its adapter knows."""

    values: Mapping[str, str]

    def __repr__(self) -> str:
        return "Credentials(…)"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a JSON object whose values are texts. Raises `InvalidValue`, which shows nothing of it."""
        try:
            values = json.loads(text) if len(text) <= _MOST_CHARACTERS else None
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise InvalidValue("Credentials are a JSON object of names and texts.") from None
        return cls(values)

    def written(self) -> str:
        return json.dumps(dict(self.values), sort_keys=True)


NO_CREDENTIALS = Credentials({})


@dataclass(frozen=True, slots=True)
class ProviderAccount:
    """`name` is the provider's own, unique among its customers."""

    name: str
    credentials: Credentials
