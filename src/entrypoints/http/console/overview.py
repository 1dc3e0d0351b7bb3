"""The first page: how it goes."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from starlette.responses import Response

from domain.model.budget import day_of
from domain.model.staff import StaffStanding
from domain.model.usage import BILLED
from entrypoints.http.console import charts
from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases

PERIODS = (7, 30, 90)
_MOST_OPT_OUTS = 1_000


@dataclass(frozen=True)
class OverviewPage:
    """`contact` is whom staff ask, empty where nobody is named."""

    hub: UseCases
    contact: str

    async def first(self, visit: Visit) -> Response:
        """The first of those that somebody may see."""
        if visit.session.staff is not None:
            return await self._first_of_staff(visit, visit.session.staff)
        if visit.may("messages:read"):
            return visit.go("overview")
        return visit.go("programs" if visit.is_operator else "send")

    async def _first_of_staff(self, visit: Visit, staff: StaffStanding) -> Response:
        if staff.is_operator:
            return visit.go("programs")
        programs = [(each, quote(each.id, safe="")) for each in await self.hub.check_staff.programs_of(staff)]
        if not programs:
            return visit.show("no_role.html", status=403, person=staff.person, contact=self.contact)
        opened = [id_ for each, id_ in programs if not each.suspended]
        if len(programs) == 1 and opened:
            return visit.go(f"programs/{opened[0]}/overview")
        return visit.show("choose.html", programs=programs)

    async def choose(self, visit: Visit) -> Response:
        """For persons: another program of theirs."""
        staff = visit.session.staff
        if staff is None:
            return visit.go("")
        programs = [(each, quote(each.id, safe="")) for each in await self.hub.check_staff.programs_of(staff)]
        return visit.show("choose.html", programs=programs)

    async def overview(self, visit: Visit) -> Response:
        asked = visit.asked("days") or ""
        days = next((each for each in PERIODS if str(each) == asked), 30)
        last = day_of(self.hub.clock.now_us(), visit.zone)
        first = last - timedelta(days=days - 1)
        usage, hours, opt_outs = await asyncio.gather(
            self.hub.read_usage(visit.grant, first=first, last=last),
            self.hub.read_usage.hours(visit.grant, first=first, last=last),
            self.hub.list_opt_outs(visit.grant, after=None, limit=_MOST_OPT_OUTS),
        )
        totals = charts.totals(usage)
        return visit.show(
            "overview.html",
            days=days,
            periods=PERIODS,
            groups=charts.GROUPS,
            totals=totals,
            texts=sum(totals.values()),
            shares=charts.shares(totals),
            sent=sum(each.deliveries for each in usage.days if each.state in BILLED),
            opt_outs=f"{len(opt_outs.items):,}" + ("+" if opt_outs.end else ""),
            cost=usage.prices.cost(usage.days),
            without_price=usage.prices.without_price(usage.days),
            by_day=charts.by_day(usage, last),
            by_hour=charts.by_hour(hours),
        )
