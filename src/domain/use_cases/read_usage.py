from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.errors import PeriodRefused
from domain.model.access import Grant
from domain.model.budget import day_of
from domain.model.price import Price
from domain.model.program import Program
from domain.model.usage import PriceList, Usage
from domain.ports.clock import Clock
from domain.ports.prices import Prices
from domain.ports.programs import Programs, own_program
from domain.ports.usage import UsageLog

_MOST_DAYS = 366
# Nothing was sent before.
_EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, kw_only=True)
class ReadUsage:
    """`segment_price` is that of countries that have none of their own; None where the operator has set none."""

    programs: Programs
    usage: UsageLog
    prices: Prices
    clock: Clock
    segment_price: Price | None

    async def __call__(self, grant: Grant, *, first: date, last: date) -> Usage:
        """From the one day to the other, both included. Raises `PeriodRefused`."""
        return await self.of(await own_program(self.programs, grant, None), first=first, last=last)

    async def hours(self, grant: Grant, *, first: date, last: date) -> Sequence[int]:
        """How many texts there were in each hour of the day, of those that are kept still. Raises `PeriodRefused`."""
        _check(first, last)
        program = await own_program(self.programs, grant, None)
        return await self.usage.hours(program.id, first=first, last=last, zone=program.terms.budget_zone)

    async def of(self, program: Program, *, first: date, last: date) -> Usage:
        """Of any program, for operators. Raises `PeriodRefused`."""
        _check(first, last)
        zone = program.terms.budget_zone
        today = day_of(self.clock.now_us(), zone)
        days = await self.usage.days(program.id, first=max(first, _EARLIEST), last=min(last, today), zone=zone)
        prices = PriceList(await self.prices.all(), self.segment_price)
        return Usage(first=first, last=last, zone=zone, days=days, prices=prices)


def _check(first: date, last: date) -> None:
    if last < first:
        raise PeriodRefused("To", "is before From")
    if (last - first).days >= _MOST_DAYS:
        raise PeriodRefused("To", "is more than a year after From")
