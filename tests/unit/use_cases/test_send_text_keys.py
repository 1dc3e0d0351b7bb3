"""A request that is repeated with its key is accepted once."""

from dataclasses import replace

import pytest

from domain.errors import IdempotencyKeyReused, TimeRefused, TooManySegments
from domain.model.priority import Priority
from domain.model.text_message import AcceptedText
from domain.use_cases.send_text import SendTextCommand
from tests.unit.builders import NOON, SECOND, a_grant, a_number, a_program, an_opt_out
from tests.unit.use_cases.sending import Hub

DAY = 24 * 3_600 * SECOND
COMMAND = SendTextCommand(text="Your appointment is tomorrow.", recipients="970-690-4544")

# One change of each field, the program's id aside.
CHANGES: dict[str, object] = {
    "text": "Your appointment is today.",
    "recipients": "970-690-4545",
    "client_date_sent": "2031-01-01",
    "sender": "+18005550100",
    "priority": Priority.URGENT,
    "send_at_us": NOON + SECOND,
    "expires_us": NOON + DAY,
    "lenient": True,
}


async def post(hub: Hub, command: SendTextCommand = COMMAND, *, key: str = "order-7") -> AcceptedText:
    return await hub.send(a_grant(), command, key=key)


def changed(**changes: object) -> SendTextCommand:
    return replace(COMMAND, **changes)  # type: ignore[arg-type]


async def test_a_repeated_request_is_stored_once_and_answered_as_the_first_was() -> None:
    hub = Hub()
    first = await post(hub)
    await hub.opt_outs.record([an_opt_out("PHARMACY", a_number(), at_us=NOON)])
    hub.clock.jump(SECOND)
    assert not first.replayed
    assert await post(hub) == replace(first, replayed=True)
    assert len(hub.store.messages) == len(hub.store.rows) == 1


async def test_requests_with_different_keys_or_none_are_different_requests() -> None:
    hub = Hub()
    await post(hub, key="order-7")
    await post(hub, key="order-8")
    await hub.text()
    await hub.text()
    assert len(hub.store.messages) == 4


@pytest.mark.parametrize("name", CHANGES)
async def test_a_key_does_not_stand_for_another_request(name: str) -> None:
    hub = Hub()
    await post(hub)
    with pytest.raises(IdempotencyKeyReused):
        await post(hub, changed(**{name: CHANGES[name]}))
    assert len(hub.store.messages) == 1


async def test_a_key_is_reused_even_where_the_other_request_would_be_refused_anyway() -> None:
    hub = Hub()
    await post(hub)
    with pytest.raises(IdempotencyKeyReused):
        await post(hub, changed(recipients="911"))


@pytest.mark.parametrize("name", ["send_at_us", "expires_us"])
async def test_a_repeated_request_is_answered_when_its_times_have_passed(name: str) -> None:
    hub = Hub()
    command = changed(**{name: NOON + SECOND})
    first = await post(hub, command)
    hub.clock.jump(2 * SECOND)
    assert await post(hub, command) == replace(first, replayed=True)
    with pytest.raises(TimeRefused):
        await post(hub, command, key="order-8")


async def test_a_repeated_request_is_answered_when_the_program_may_not_send_it_any_more() -> None:
    hub = Hub()
    command = changed(text="x" * 161)
    first = await post(hub, command)
    hub.change(a_program(segment_cap=1))
    assert await post(hub, command) == replace(first, replayed=True)
    with pytest.raises(TooManySegments):
        await post(hub, command, key="order-8")


async def test_a_refused_request_leaves_its_key_free() -> None:
    hub = Hub()
    with pytest.raises(TimeRefused):
        await post(hub, changed(send_at_us=NOON))
    assert not (await post(hub)).replayed


async def test_a_key_is_free_again_after_a_day() -> None:
    hub = Hub()
    first = await post(hub)
    hub.clock.jump(DAY - 1)
    assert (await post(hub)).replayed
    hub.clock.jump(1)
    again = await post(hub)
    assert not again.replayed
    assert again.summary.message.id != first.summary.message.id


@pytest.mark.parametrize("program_id", ["PHARMACY", "pharmacy"])
async def test_how_a_program_names_itself_makes_no_other_request(program_id: str) -> None:
    hub = Hub()
    await post(hub)
    assert (await post(hub, changed(program_id=program_id))).replayed


def test_all_that_is_asked_for_shows_in_the_fingerprint_and_nothing_else() -> None:
    assert set(CHANGES) | {"program_id"} == set(SendTextCommand.__dataclass_fields__)
    different = [changed(**{name: value}).fingerprint() for name, value in CHANGES.items()]
    assert len({COMMAND.fingerprint(), *different}) == len(CHANGES) + 1
    assert changed(program_id="PHARMACY").fingerprint() == COMMAND.fingerprint()


def test_a_fingerprint_stays_the_same_from_version_to_version() -> None:
    """Keys are kept for a day, in which the hub may be updated."""
    assert COMMAND.fingerprint().hex() == "495ba4d7bee12810d76398672f8000c6c256e69a94ae60be5a469b195a5085b6"


@pytest.mark.parametrize("text", ["\ud800", "\0", "", "\N{GRINNING FACE}"])
def test_any_text_has_a_fingerprint(text: str) -> None:
    assert len(changed(text=text, recipients=text).fingerprint()) == 32
