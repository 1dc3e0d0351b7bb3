"""What operators call about the limits that senders share, and about what segments cost."""

from dataclasses import dataclass

from starlette.responses import Response

from domain.errors import InvalidValue
from domain.model.limit import Counted, DailyCap, Limit
from domain.model.pace import Pace
from domain.model.price import Price
from domain.use_cases.operate_limits import OperateLimits
from domain.use_cases.operate_prices import OperatePrices
from entrypoints.http import sender_representations as shown
from entrypoints.http.answers import as_json, as_list
from entrypoints.http.call import Call
from entrypoints.http.operators import acting_for


@dataclass(frozen=True, kw_only=True)
class LimitHandlers:
    limits: OperateLimits
    prices: OperatePrices

    async def listLimits(self, _call: Call) -> Response:  # noqa: N802 - the contract's own name
        return as_list([shown.limit(each) for each in await self.limits.all()])

    async def getLimit(self, call: Call) -> Response:  # noqa: N802
        return await self._answer(call.parameters["Name"])

    async def putLimit(self, call: Call) -> Response:  # noqa: N802
        limit = _limit(call)
        with acting_for(call):
            await self.limits.put(limit)
        return await self._answer(limit.name)

    async def deleteLimit(self, call: Call) -> Response:  # noqa: N802
        with acting_for(call):
            removed = await self.limits.remove(call.parameters["Name"])
        return as_json(shown.limit(removed))

    async def attachToLimit(self, call: Call) -> Response:  # noqa: N802
        body, name = call.posted_by(call.grant), call.parameters["Name"]
        with acting_for(call):
            if "SenderId" in body:
                await self.limits.attach_sender(body["SenderId"], name)
            else:
                await self.limits.attach_account(body["AccountId"], name)
        return await self._answer(name)

    async def detachFromLimit(self, call: Call) -> Response:  # noqa: N802
        body, name = call.posted_by(call.grant), call.parameters["Name"]
        with acting_for(call):
            if "SenderId" in body:
                await self.limits.detach_sender(body["SenderId"], name)
            else:
                await self.limits.detach_account(body["AccountId"], name)
        return await self._answer(name)

    async def listPrices(self, _call: Call) -> Response:  # noqa: N802
        return as_list([shown.price(country, price) for country, price in (await self.prices.all()).items()])

    async def putPrice(self, call: Call) -> Response:  # noqa: N802
        body, country = call.posted_by(call.grant), call.parameters["Country"]
        price = Price.parse(f"{body['Price']} {body['Currency']}")
        with acting_for(call):
            await self.prices.put(country, price)
        return as_json(shown.price(country, price))

    async def deletePrice(self, call: Call) -> Response:  # noqa: N802
        country = call.parameters["Country"]
        with acting_for(call):
            removed = await self.prices.remove(country)
        return as_json(shown.price(country, removed))

    async def _answer(self, name: str) -> Response:
        return as_json(shown.limit(await self.limits.called(name)))


def _limit(call: Call) -> Limit:
    """Raises `InvalidValue`."""
    body = call.posted_by(call.grant)
    if ("Daily" in body) != ("Zone" in body):
        raise InvalidValue("Daily and Zone go together.")
    return Limit(
        name=call.parameters["Name"],
        counts=Counted(body.get("Counts", Counted.SEGMENTS.value)),
        pace=Pace.parse(body["Rate"]) if "Rate" in body else None,
        daily=DailyCap(body["Daily"], body["Zone"]) if "Daily" in body else None,
        parent=body.get("Under"),
    )
