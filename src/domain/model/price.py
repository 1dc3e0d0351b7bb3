"""What texts cost, as far as the operator says so."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from domain.errors import InvalidValue

_WRITTEN = re.compile(r"(\d{1,6}(?:\.\d{1,6})?) ([A-Z]{3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Price:
    """`currency` is an ISO 4217 code."""

    amount: Decimal
    currency: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `0.0083 USD`."""
        match = _WRITTEN.fullmatch(text.strip())
        if match is None:
            raise InvalidValue("A price is written as 0.0083 USD.")
        return cls(Decimal(match[1]), match[2])

    def times(self, count: int) -> Self:
        return type(self)(self.amount * count, self.currency)
