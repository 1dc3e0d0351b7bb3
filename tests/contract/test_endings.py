"""What comes to its end in the store is told by provider, once each."""

from collections import Counter
from collections.abc import Callable

import pytest

from adapters.sql.delivery_queue_postgresql import PostgresqlDeliveryQueue
from adapters.sql.delivery_queue_sqlite import SqliteDeliveryQueue
from adapters.sql.due_deliveries import SqlDueDeliveries
from adapters.sql.text_log import SqlTextLog
from domain.model.credentials import NO_CREDENTIALS, ProviderAccount
from domain.model.delivery import DeliveryState
from domain.model.pace import SECOND_US
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.model.slots import Reservation
from tests.builders import NOW_US, Store, a_number, a_program, a_text, an_opt_out, numbers

Endings = Counter[tuple[str, DeliveryState, str | None]]
Tell = Callable[[str, DeliveryState, str | None, int], None]


@pytest.fixture
def endings() -> Endings:
    return Counter()


@pytest.fixture
def tell(endings: Endings) -> Tell:
    def tell(provider: str, state: DeliveryState, reason: str | None, count: int) -> None:
        endings[provider, state, reason] += count

    return tell


async def at_twilio(store: Store) -> Program:
    account = ProviderAccount("AC1", NO_CREDENTIALS)
    return await store.programs.add(
        a_program("library", provider="twilio", pace="50/s", account=account, sender=SenderAddress("Library"))
    )


async def test_what_expires_while_it_waits(store: Store, endings: Endings, tell: Tell) -> None:
    for program, count in ((await store.add_program(), 2), (await at_twilio(store), 3)):
        await store.intake.add(a_text(program, *numbers(count), expires_us=NOW_US + SECOND_US))
    due = SqlDueDeliveries(store.database, store.queue, tell)

    assert await due.expire(now_us=NOW_US) == 0
    assert await due.expire(now_us=NOW_US + SECOND_US) == 5
    assert await due.expire(now_us=NOW_US + SECOND_US) == 0

    expired = DeliveryState.EXPIRED, "not-sent-in-time"
    assert endings == {("sandbox", *expired): 2, ("twilio", *expired): 3}


async def test_what_is_canceled(store: Store, endings: Endings, tell: Tell) -> None:
    program = await at_twilio(store)
    message = await store.add_text(program, *numbers(3))
    texts = SqlTextLog(store.database, tell)

    assert await texts.cancel(program.id, message.id, now_us=NOW_US) == 3
    assert await texts.cancel(program.id, message.id, now_us=NOW_US) == 0

    assert endings == {("twilio", DeliveryState.CANCELED, None): 3}


async def test_what_a_claim_ends_instead_of_sending(store: Store, endings: Endings, tell: Tell) -> None:
    program = await at_twilio(store)
    await store.add_text(program, *numbers(2))
    await store.intake.add(a_text(program, a_number(7), expires_us=NOW_US + SECOND_US))
    await store.opt_outs.record([an_opt_out(program.id, a_number(1))])
    kind = SqliteDeliveryQueue if store.database.is_sqlite else PostgresqlDeliveryQueue
    queue = kind(store.database, None, tell)

    claims = await queue.claim(await store.join(), now_us=NOW_US + 2 * SECOND_US, reservation=Reservation())

    assert [claim.delivery.number for claim in claims] == [a_number(0)]
    assert endings == {
        ("twilio", DeliveryState.BLOCKED, "opted-out"): 1,
        ("twilio", DeliveryState.EXPIRED, "not-sent-in-time"): 1,
    }
