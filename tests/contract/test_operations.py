"""What operators do while the hub sends: paces, pauses, standstills, retention, accounts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text as sql

from adapters.sql.provider_accounts import SqlProviderAccounts
from adapters.vault import FernetVault
from domain.errors import CredentialsMissing, CredentialsUnreadable, ProgramNotFound
from domain.model.budget import Velocity
from domain.model.credentials import Credentials, ProviderAccount
from domain.model.delivery import DeliveryState
from domain.model.message_id import new_message_id
from domain.model.pace import SECOND_US, Pace
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.model.terms import USUAL_TERMS, OnUnknown, Terms
from domain.model.text_message import TextMessage
from domain.ports.delivery_queue import Claim
from tests.builders import NOW_US, VAULT, Store, a_program, a_text, numbers

OTHER_SENDER = SenderAddress("+19705550199")
POOL = SenderAddress("MG" + "0" * 32)
ACCOUNT = ProviderAccount("AC1", Credentials({"account_sid": "AC1", "auth_token": "a token that nobody is to see"}))
DAY_US = 86_400 * SECOND_US


def at(claims: Sequence[Claim]) -> list[int]:
    return [claim.slot.at_us - NOW_US for claim in claims]


class TestPaces:
    async def test_a_faster_pace_holds_from_the_next_claim_on(self, store: Store) -> None:
        program = await store.add_program(pace="1/min")
        await store.add_text(program, *numbers(10))
        dispatcher = await store.join()
        await store.claim(dispatcher)

        await store.senders.change(program.sender.id, pace=Pace.parse("10/s"), backlog_us=0, now_us=NOW_US + SECOND_US)
        claims = await store.claim(dispatcher, at_us=NOW_US + SECOND_US)

        # What was owed for the first text at a minute's pace is owed at the new one.
        assert SECOND_US < at(claims)[0] < 1.2 * SECOND_US
        assert len(claims) > 3

    async def test_a_slower_pace_holds_for_what_is_owed_already(self, store: Store) -> None:
        program = await store.add_program(pace="1/s")
        await store.add_text(program, *numbers(10))
        dispatcher = await store.join()
        await store.claim(dispatcher)

        await store.senders.change(program.sender.id, pace=Pace.parse("6/min"), backlog_us=0, now_us=NOW_US)
        claims = await store.claim(dispatcher, at_us=NOW_US + 10 * SECOND_US)

        assert at(claims)[0] >= 10 * SECOND_US

    async def test_slots_that_are_given_away_keep_their_distance(self, store: Store) -> None:
        program = await store.add_program(pace="20/s")
        await store.add_text(program, *numbers(40))
        dispatcher = await store.join()
        before = await store.claim(dispatcher)

        await store.senders.change(program.sender.id, pace=Pace.parse("40/s"), backlog_us=0, now_us=NOW_US + 1_000)
        after = await store.claim(dispatcher, at_us=NOW_US + 1_000)

        assert min(at(after)) - max(at(before)) >= 25_000

    async def test_a_pool_sends_at_once_until_its_backlog_is_full(self, store: Store) -> None:
        program = await store.add_program(pace="1/s", sender=POOL)
        assert program.sender.backlog_us == 9 * 3_600 * SECOND_US
        await store.senders.change(program.sender.id, pace=Pace.parse("1/s"), backlog_us=5 * SECOND_US, now_us=NOW_US)
        await store.add_text(program, *numbers(20))

        claims = await store.claim(await store.join())

        assert [each for each in at(claims) if each == 0] == [0] * 5
        assert all(each > 0 for each in at(claims)[5:])


class TestPauses:
    async def test_nothing_is_claimed_while_the_hub_is_paused(self, store: Store) -> None:
        program = await store.add_program()
        await store.pauses.set_hub(paused=True, now_us=NOW_US)
        message = await store.add_text(program)
        dispatcher = await store.join()

        assert await store.claim(dispatcher) == []
        assert await store.queue.next_due_us() is None
        assert await store.states(program, message) == [DeliveryState.QUEUED]
        await store.pauses.set_hub(paused=False, now_us=NOW_US)
        assert len(await store.claim(dispatcher)) == 1

    async def test_a_paused_sender_keeps_its_queue_and_the_others_go_on(self, store: Store) -> None:
        paused = await store.add_program("library")
        other = await store.add_program("parks", sender=OTHER_SENDER)
        await store.pauses.set_sender(paused.sender.id, paused=True, now_us=NOW_US)
        for program in (paused, other):
            await store.add_text(program)
        dispatcher = await store.join()

        assert [claim.program_id for claim in await store.claim(dispatcher)] == ["parks"]
        await store.pauses.set_sender(paused.sender.id, paused=False, now_us=NOW_US)
        assert [claim.program_id for claim in await store.claim(dispatcher)] == ["library"]

    async def test_a_paused_program_lets_others_send_from_its_sender(self, store: Store) -> None:
        paused = await store.add_program("library")
        other = await store.add_program("parks", pace=None)
        await store.pauses.set_program("LIBRARY", paused=True, now_us=NOW_US)
        for program in (paused, other):
            await store.add_text(program)
        dispatcher = await store.join()

        assert [claim.program_id for claim in await store.claim(dispatcher)] == ["parks"]
        assert await store.claim(dispatcher, at_us=NOW_US + 5 * SECOND_US) == []
        # Nothing is due, and looking for what is does not make it so.
        assert await store.due.rouse(now_us=NOW_US) == 0
        await store.pauses.set_program("library", paused=False, now_us=NOW_US)
        assert [claim.program_id for claim in await store.claim(dispatcher, at_us=NOW_US + 5 * SECOND_US)] == [
            "library"
        ]

    async def test_a_program_that_there_is_not_cannot_be_paused(self, store: Store) -> None:
        with pytest.raises(ProgramNotFound):
            await store.pauses.set_program("library", paused=True, now_us=NOW_US)

    async def test_texts_expire_while_they_are_held(self, store: Store) -> None:
        program = await store.add_program()
        await store.pauses.set_hub(paused=True, now_us=NOW_US)
        text = a_text(program, expires_us=NOW_US + SECOND_US)
        await store.intake.add(text)

        assert await store.due.expire(now_us=NOW_US + SECOND_US) == 1
        assert await store.states(program, text.message) == [DeliveryState.EXPIRED]


class TestStandstills:
    async def test_a_hub_at_work_stands_nowhere_still(self, store: Store) -> None:
        standstill = await store.standstills.now(now_us=NOW_US)

        assert (standstill.hub_paused, standstill.paused_programs, standstill.paused_senders) == (False, 0, 0)
        assert standstill.barred == {}
        assert standstill.overdue_us == 0

    async def test_what_stands_still_is_told(self, store: Store) -> None:
        program = await store.add_program()
        other = await store.add_program("parks", sender=OTHER_SENDER)
        await store.queue.bar(program.sender.id, "credentials-refused", now_us=NOW_US)
        await store.pauses.set_sender(other.sender.id, paused=True, now_us=NOW_US)
        await store.pauses.set_program("parks", paused=True, now_us=NOW_US)
        await store.pauses.set_hub(paused=True, now_us=NOW_US)

        standstill = await store.standstills.now(now_us=NOW_US)

        assert (standstill.hub_paused, standstill.paused_programs, standstill.paused_senders) == (True, 1, 1)
        assert standstill.barred == {program.sender.id: "credentials-refused"}

    async def test_what_could_be_claimed_and_is_not_is_overdue(self, store: Store) -> None:
        program = await store.add_program()
        await store.add_text(program, *numbers(3))

        assert (await store.standstills.now(now_us=NOW_US + 3 * SECOND_US)).overdue_us == 3 * SECOND_US
        await store.claim(await store.join(), at_us=NOW_US + 3 * SECOND_US)
        # The pace makes the others wait, which is nobody's fault.
        assert (await store.standstills.now(now_us=NOW_US + 3 * SECOND_US)).overdue_us == 0


class TestRetention:
    async def test_old_texts_are_forgotten_with_all_that_was_kept_of_them(self, store: Store) -> None:
        program = await store.add_program(pace="100/s")
        old, new = await _sent(store, program, NOW_US), await _sent(store, program, NOW_US + 10 * DAY_US)

        assert await store.retention.forget(now_us=NOW_US + 11 * DAY_US, kept_us=5 * DAY_US) == 1

        assert await store.texts.find(program.id, old.id) is None
        assert await store.texts.find(program.id, new.id) is not None
        async with store.database.reading() as connection:
            left = (await connection.execute(sql("SELECT count(*) FROM deliveries"))).scalar_one()
        assert left == 1

    async def test_what_is_still_to_come_is_kept_however_old(self, store: Store) -> None:
        program = await store.add_program()
        queued = a_text(program, message_id=new_message_id(NOW_US))
        await store.intake.add(queued)

        assert await store.retention.forget(now_us=NOW_US + 100 * DAY_US, kept_us=DAY_US) == 0

    async def test_a_program_may_have_its_texts_kept_for_a_time_of_its_own(self, store: Store) -> None:
        short = await store.programs.add(replace(a_program("library"), terms=Terms(retention=timedelta(days=1))))
        long = await store.programs.add(
            replace(a_program("parks", sender=OTHER_SENDER), terms=Terms(retention=timedelta(days=50)))
        )
        for program in (short, long):
            await _sent(store, program, NOW_US)

        assert await store.retention.forget(now_us=NOW_US + 11 * DAY_US, kept_us=10 * DAY_US) == 1
        assert await store.retention.forget(now_us=NOW_US + 51 * DAY_US, kept_us=10 * DAY_US) == 1


class TestTerms:
    async def test_they_are_kept_as_they_were_set(self, store: Store) -> None:
        await store.add_program()
        terms = Terms(
            on_unknown=OnUnknown.RESEND,
            failover=True,
            retention=timedelta(days=30),
            duplicate_window=timedelta(minutes=10),
            notice="Reply STOP to get no more.",
            opt_out_reply="Bye.",
            opt_in_reply="Welcome back.",
            help_reply="Call us.",
            mail_to="office@example.org",
            countries=frozenset({"US", "own"}),
            daily_segments=1_000,
            monthly_segments=20_000,
            budget_zone="America/Denver",
            recipients_per_request=500,
            per_recipient=Velocity(5, timedelta(hours=1)),
        )

        changed = await store.set_terms("CITY-HALL", terms)

        assert changed.terms == terms
        assert await store.programs.find("city-hall") == changed

    async def test_a_program_that_there_is_not_has_none(self, store: Store) -> None:
        with pytest.raises(ProgramNotFound):
            await store.set_terms("city-hall", USUAL_TERMS)


class TestAccounts:
    async def test_credentials_are_sealed_and_read_again(self, store: Store) -> None:
        program = await store.programs.add(a_program(provider="twilio", account=ACCOUNT))

        assert program.sender.account == "AC1"
        assert await store.accounts.credentials(program.sender.account_id) == ACCOUNT.credentials
        async with store.database.reading() as connection:
            row = (await connection.execute(sql("SELECT credentials FROM provider_accounts"))).one()
        assert b"nobody" not in bytes(row.credentials)

    async def test_new_credentials_are_its_accounts(self, store: Store) -> None:
        await store.programs.add(a_program(provider="twilio", account=ACCOUNT))
        renewed = ProviderAccount("AC1", Credentials({"account_sid": "AC1", "auth_token": "another"}))

        program = await store.programs.add(a_program("parks", provider="twilio", account=renewed, pace=None))

        assert await store.accounts.credentials(program.sender.account_id) == renewed.credentials

    async def test_a_second_program_needs_none_for_a_sender_that_the_hub_has(self, store: Store) -> None:
        first = await store.programs.add(a_program(provider="twilio", account=ACCOUNT))

        second = await store.programs.add(a_program("parks", provider="twilio", account=None, pace=None))

        assert second.sender == first.sender
        assert await store.accounts.credentials(second.sender.account_id) == ACCOUNT.credentials

    async def test_a_sender_that_the_hub_has_not_needs_some(self, store: Store) -> None:
        with pytest.raises(CredentialsMissing):
            await store.programs.add(a_program(provider="twilio", account=None))

        assert await store.programs.all() == []

    async def test_an_account_that_there_is_not_has_none(self, store: Store) -> None:
        with pytest.raises(CredentialsUnreadable):
            await store.accounts.credentials(99)

    async def test_they_are_sealed_anew_so_that_the_old_key_can_go(self, store: Store) -> None:
        program = await store.programs.add(a_program(provider="twilio", account=ACCOUNT))
        old, new = b"a key of the tests, 32 bytes long", b"another key that has 32 bytes too"
        both = FernetVault({"new": new, "old": old})

        assert await SqlProviderAccounts(store.database, both).seal_anew() == 1

        newest = SqlProviderAccounts(store.database, FernetVault({"new": new}))
        assert await newest.credentials(program.sender.account_id) == ACCOUNT.credentials
        with pytest.raises(CredentialsUnreadable):
            await SqlProviderAccounts(store.database, VAULT).seal_anew()
        assert await newest.credentials(program.sender.account_id) == ACCOUNT.credentials


async def _sent(store: Store, program: Program, at_us: int) -> TextMessage:
    text = a_text(program, message_id=new_message_id(at_us), at_us=at_us)
    await store.intake.add(text)
    dispatcher = await store.join(at_us=at_us)
    claims = await store.claim(dispatcher, at_us=at_us + 10 * SECOND_US)
    await store.queue.record([claim.delivery.sent("reference", now_us=at_us) for claim in claims])
    return text.message
