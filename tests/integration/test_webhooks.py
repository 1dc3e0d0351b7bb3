"""A whole hub tells a program of its texts, as Standard Webhooks has it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
from standardwebhooks import Webhook as Verifier

from domain.model.access import Grant, Scope
from domain.model.program import Program
from domain.model.webhook import Webhook
from domain.ports.webhooks import LoggedAttempt
from tests.integration.working_hub import ScriptedProvider, WorkingHub, a_hub
from tests.patience import PATIENCE_S
from tests.receiver import a_receiver

KEYS = "tests:" + "0123456789abcdef" * 3


def grant_of(program: Program) -> Grant:
    now = datetime.now(UTC)
    return Grant(
        program_id=program.id,
        program_sid=program.sid,
        scopes=frozenset(Scope),
        issued_at=now,
        expires_at=now,
        token_id="of-the-tests",
    )


async def test_a_program_is_told_of_its_texts_in_calls_that_it_can_verify(database_url: str) -> None:
    async with (
        a_receiver() as receiver,
        a_hub(database_url, ScriptedProvider(), encryption_keys=KEYS, webhook_private_networks="127.0.0.0/8") as hub,
    ):
        program = await hub.program(rate="1000/s")
        grant = grant_of(program)
        keep = hub.container.keep_webhooks()
        webhook, secret = await keep.create(grant, f"{receiver.url}/hooks")
        receiver.statuses = [500]
        message = await hub.post(program, [f"+1970690454{last}" for last in range(4)])
        async with hub.dispatching():
            # One was not accepted, and is told again after five seconds.
            calls = await receiver.until(5)
            attempts = (await keep.attempts(grant, webhook.id, before=None, limit=10)).items

    verifier = Verifier(secret.written())
    payloads = {call.headers["webhook-id"]: verifier.verify(call.body, dict(call.headers)) for call in calls}
    assert len(payloads) == 4
    assert {orjson.dumps(each["type"]) for each in payloads.values()} == {b'"message.sent"'}
    assert {each["data"]["MessageId"] for each in payloads.values()} == {str(message.id)}
    assert {each["data"]["Position"] for each in payloads.values()} == {1, 2, 3, 4}
    assert sorted((each.status, each.accepted) for each in attempts) == [(204, True)] * 4 + [(500, False)]


async def test_a_hub_whose_operator_opened_no_network_calls_nobody_on_its_own(database_url: str) -> None:
    async with (
        a_receiver() as receiver,
        a_hub(database_url, ScriptedProvider(), encryption_keys=KEYS, webhook_private_networks="127.0.0.0/8") as hub,
    ):
        program = await hub.program(rate="1000/s")
        webhook, _ = await hub.container.keep_webhooks().create(grant_of(program), f"{receiver.url}/hooks")
        await hub.container.keep_webhooks().test(grant_of(program), webhook.id)
        async with a_hub(database_url, ScriptedProvider(), encryption_keys=KEYS) as closed, closed.dispatching():
            (attempt,) = await first_attempts(closed, program, webhook)

    assert receiver.calls == []
    assert (attempt.status, attempt.error) == (None, "address-refused")


async def first_attempts(hub: WorkingHub, program: Program, webhook: Webhook) -> Sequence[LoggedAttempt]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            page = await hub.container.webhooks().attempts(program.id, webhook.id, before=None, limit=10)
            if page.items:
                return page.items
            await asyncio.sleep(0.05)
