"""A program's keys, as it may see them: those who run the hub issue and revoke them."""

from dataclasses import dataclass

from starlette.responses import Response

from entrypoints.http.console.frame import Visit
from entrypoints.http.console.use_cases import UseCases


@dataclass(frozen=True)
class KeysPage:
    hub: UseCases

    async def all(self, visit: Visit) -> Response:
        keys = await self.hub.operate_keys.of(visit.program.id)
        return visit.show("keys.html", keys=keys, now_us=self.hub.clock.now_us())
