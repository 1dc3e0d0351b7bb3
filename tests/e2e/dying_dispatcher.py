"""`smshub dispatcher` that kills its own process (SIGKILL) at one point of a send.

The environment says where: DIES_AT is one of `POINTS`, DIES_FOR the sender whose text brings it there. It sends for
that one alone.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from dependency_injector import providers
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.providers.twilio.provider import TwilioProvider
from adapters.sql.claim_rows import DueSender
from adapters.sql.delivery_queue_postgresql import PostgresqlDeliveryQueue
from domain.model.delivery import Delivery
from domain.model.send_outcome import SendOutcome
from domain.model.share import EVERY_SENDER, Share
from domain.model.slots import Reservation, Slot
from domain.ports.delivery_queue import Claim
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider
from entrypoints.cli import main as smshub
from entrypoints.container import Container

BEFORE_THE_COMMIT = "before-the-claim-is-committed"
AFTER_THE_COMMIT = "after-the-claim-is-committed"
BEFORE_THE_CALL = "before-the-call"
AT_THE_DEPARTURE = "at-the-departure"
DURING_THE_CALL = "during-the-call"
AFTER_THE_ANSWER = "after-the-answer"
BEFORE_THE_RECORD = "before-the-record"

POINTS = (
    BEFORE_THE_COMMIT,
    AFTER_THE_COMMIT,
    BEFORE_THE_CALL,
    AT_THE_DEPARTURE,
    DURING_THE_CALL,
    AFTER_THE_ANSWER,
    BEFORE_THE_RECORD,
)

# Long enough for a request to be written and read, and shorter than the provider keeps silent.
_UNDER_WAY_S = 0.12

_DIES_AT = os.environ.get("DIES_AT", "")
_DIES_FOR = os.environ.get("DIES_FOR", "")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _pass(point: str) -> None:
    if point == _DIES_AT:
        _die()


class DyingQueue(PostgresqlDeliveryQueue):
    _claimed: frozenset[int] = frozenset()

    async def claim(
        self, dispatcher_id: int, *, now_us: int, reservation: Reservation, share: Share = EVERY_SENDER
    ) -> Sequence[Claim]:
        claims = await super().claim(dispatcher_id, now_us=now_us, reservation=reservation, share=share)
        if claims:
            self._claimed |= {claim.delivery.id for claim in claims}
            _pass(AFTER_THE_COMMIT)
        return claims

    async def record(self, deliveries: Sequence[Delivery]) -> None:
        if self._claimed & {each.id for each in deliveries}:
            _pass(BEFORE_THE_RECORD)
        await super().record(deliveries)

    async def _lock_due_senders(self, connection: AsyncConnection, share: Share, *, now_us: int) -> Sequence[DueSender]:
        due = await super()._lock_due_senders(connection, share, now_us=now_us)
        return [row for row in due if row.address == _DIES_FOR]

    async def _take(
        self,
        connection: AsyncConnection,
        dispatcher_id: int,
        slots: Sequence[Slot],
        references: Mapping[int, str],
        *,
        now_us: int,
    ) -> set[int]:
        taken = await super()._take(connection, dispatcher_id, slots, references, now_us=now_us)
        if taken:
            _pass(BEFORE_THE_COMMIT)
        return taken


class _LastDeparture(Departure):
    def __init__(self, departure: Departure) -> None:
        self._departure = departure

    async def __call__(self) -> None:
        await self._departure()
        _pass(AT_THE_DEPARTURE)
        if _DIES_AT == DURING_THE_CALL:
            asyncio.get_running_loop().call_later(_UNDER_WAY_S, _die)


class DyingProvider(TwilioProvider):
    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        _pass(BEFORE_THE_CALL)
        outcome = await super().send(text, _LastDeparture(departure))
        _pass(AFTER_THE_ANSWER)
        return outcome


def _providers(api_base_url: str, accounts: Any) -> Mapping[str, SmsProvider]:  # noqa: ANN401 - the container's own
    return {"twilio": DyingProvider(accounts, api_base_url=api_base_url)}


def main() -> None:
    Container.queue.override(providers.Singleton(DyingQueue, Container.database, Container.retry))
    url = os.environ["SMSHUB_TWILIO_API_BASE_URL"]
    Container.sms_providers.override(providers.Singleton(_providers, url, Container.accounts))
    smshub(sys.argv[1:])


if __name__ == "__main__":
    main()
