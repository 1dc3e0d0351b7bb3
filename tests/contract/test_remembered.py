"""What is remembered of programs and tokens, and for how long."""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest
from cachetools import TTLCache

import adapters.remembered
from adapters.remembered import (
    RememberedAccounts,
    RememberedBacklog,
    RememberedPrograms,
    RememberedStaffRoles,
    RememberedTemplates,
    RememberedTokens,
    RememberedVitalSigns,
    RememberedWaitingSenders,
    RememberedWorkload,
)
from adapters.tokens import JwtTokens
from domain.errors import StoreUnavailable, TokenRefused
from domain.model.access import Grant, Scope
from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.priority import Priority
from domain.model.program import Program
from domain.model.queue_ahead import QueueAhead
from domain.model.sender import SenderAddress
from domain.model.shared_line import WaitingSender
from domain.model.staff import Role, StaffRole
from domain.model.template import TemplateName, TemplateText, TemplateVersion
from domain.model.waiting import Waiting
from domain.ports.backlog import WaitingSenders
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.tokens import Tokens
from domain.ports.vitals import Vitals, VitalSigns
from domain.ports.workload import Load, Workload
from tests.builders import SANDBOX
from tests.patience import PATIENCE_S
from tests.unit.builders import a_program
from tests.unit.fakes import FakeBacklog, InMemoryPrograms, InMemoryStaffRoles, InMemoryTemplates, settled


class Timer:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.at_s = 1_000.0

    def __call__(self) -> float:
        return self.at_s


class SlowPrograms(InMemoryPrograms):
    """Answers a search when it is let go, with `fault` where there is one."""

    def __init__(self, *programs: Program) -> None:
        super().__init__(*programs)
        self.sought: list[str] = []
        self.fault: Exception | None = None
        self.go = asyncio.Event()
        self.go.set()

    async def find(self, program_id: str) -> Program | None:
        self.sought.append(program_id)
        await self.go.wait()
        if self.fault is not None:
            raise self.fault
        return await super().find(program_id)


@pytest.fixture
def timer(monkeypatch: pytest.MonkeyPatch) -> Timer:
    timer = Timer()
    monkeypatch.setattr(adapters.remembered, "TTLCache", partial(TTLCache, timer=timer))
    monkeypatch.setattr(adapters.remembered, "time", SimpleNamespace(monotonic=timer, time=time.time))
    return timer


@pytest.fixture
def programs() -> SlowPrograms:
    return SlowPrograms(a_program("PHARMACY"), a_program("LIBRARY", sid="library-sid"))


async def finders(programs: RememberedPrograms, *program_ids: str) -> list[asyncio.Task[Program | None]]:
    """Callers that come together, and wait."""
    finding = [asyncio.create_task(programs.find(program_id)) for program_id in program_ids]
    await settled()
    return finding


class TestPrograms:
    async def test_a_program_is_asked_for_once_and_then_remembered(self, programs: SlowPrograms) -> None:
        remembered = RememberedPrograms(programs)

        found = [await remembered.find("PHARMACY") for _ in range(3)]

        assert found == [a_program("PHARMACY")] * 3
        assert programs.sought == ["PHARMACY"]

    async def test_of_many_who_come_together_one_asks(self, programs: SlowPrograms) -> None:
        remembered = RememberedPrograms(programs)
        programs.go.clear()
        finding = await finders(remembered, *["PHARMACY"] * 50)
        programs.go.set()

        assert await asyncio.gather(*finding) == [a_program("PHARMACY")] * 50
        assert programs.sought == ["PHARMACY"]

    async def test_programs_are_not_taken_for_each_other(self, programs: SlowPrograms) -> None:
        remembered = RememberedPrograms(programs)

        found = await asyncio.gather(*await finders(remembered, "LIBRARY", "PHARMACY", "MUSEUM", "LIBRARY"))

        assert [program and program.id for program in found] == ["LIBRARY", "PHARMACY", None, "LIBRARY"]
        assert sorted(programs.sought) == ["LIBRARY", "MUSEUM", "PHARMACY"]

    async def test_one_who_goes_away_takes_the_answer_from_nobody(self, programs: SlowPrograms) -> None:
        remembered = RememberedPrograms(programs)
        programs.go.clear()
        first, second = await finders(remembered, "PHARMACY", "PHARMACY")
        first.cancel()
        await settled()
        programs.go.set()

        assert await second == a_program("PHARMACY")
        assert first.cancelled()
        assert programs.sought == ["PHARMACY"]

    async def test_what_is_not_found_is_asked_for_again(self, programs: SlowPrograms) -> None:
        remembered = RememberedPrograms(programs)

        assert [await remembered.find("MUSEUM") for _ in range(2)] == [None, None]
        assert programs.sought == ["MUSEUM", "MUSEUM"]

    async def test_a_failure_reaches_all_who_wait_and_is_not_remembered(self, programs: SlowPrograms) -> None:
        remembered = RememberedPrograms(programs)
        programs.go.clear()
        programs.fault = StoreUnavailable()
        finding = await finders(remembered, "PHARMACY", "PHARMACY")
        programs.go.set()

        outcomes = await asyncio.gather(*finding, return_exceptions=True)

        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 2
        programs.fault = None
        assert await remembered.find("PHARMACY") == a_program("PHARMACY")

    @pytest.mark.parametrize("for_s", [0.5, 2.0])
    async def test_a_change_shows_after_a_while(self, programs: SlowPrograms, timer: Timer, for_s: float) -> None:
        remembered = RememberedPrograms(programs, for_s=for_s)
        before = await remembered.find("PHARMACY")
        await programs.add_sender(
            "PHARMACY", provider="post", sender=SenderAddress("72975"), pace=None, account=SANDBOX
        )

        timer.at_s += for_s - 0.01
        assert await remembered.find("PHARMACY") == before
        timer.at_s += 0.01
        changed = await remembered.find("PHARMACY")

        assert changed is not None
        assert [sender.address.value for sender in changed.senders] == ["+18005550100", "72975"]

    async def test_all_else_is_asked_for_every_time(self, programs: SlowPrograms) -> None:
        remembered = RememberedPrograms(programs)
        await remembered.find("PHARMACY")

        changed = await remembered.add_sender(
            "PHARMACY", provider="post", sender=SenderAddress("72975"), pace=None, account=SANDBOX
        )

        assert len(changed.senders) == 2
        assert changed in await remembered.all()
        assert await remembered.find_with_keys("pharmacy-sid") == (changed, [])


class TestStaffRoles:
    READER = StaffRole(group="housing", role=Role.READER, program_id="PHARMACY")

    async def test_what_others_take_away_ends_after_a_while_and_what_is_done_here_at_once(self, timer: Timer) -> None:
        roles = InMemoryStaffRoles()
        remembered = RememberedStaffRoles(roles)
        none = await remembered.all()
        given = await remembered.put(self.READER)
        first = await remembered.all()
        await roles.remove(given.id)
        timer.at_s += 1.99
        meanwhile = await remembered.all()
        timer.at_s += 0.01
        later = await remembered.all()
        await remembered.remove((await remembered.put(self.READER)).id)

        assert list(none) == list(later) == list(await remembered.all()) == []
        assert list(first) == list(meanwhile) == [given]


class SlowTemplates(InMemoryTemplates):
    """Answers a search when it is let go, with what it found before."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.go.set()

    async def find(self, program_id: str, name: TemplateName, version: int | None) -> TemplateVersion | None:
        found = await super().find(program_id, name, version)
        await self.go.wait()
        return found


class TestTemplates:
    NAME = TemplateName("greeting")

    @pytest.fixture
    async def templates(self) -> SlowTemplates:
        templates = SlowTemplates()
        await templates.add("PHARMACY", self.NAME, TemplateText("Hello"), now_us=1)
        return templates

    async def said(self, remembered: RememberedTemplates, version: int | None = None) -> str | None:
        found = await remembered.find("PHARMACY", self.NAME, version)
        return None if found is None else found.text.text

    async def test_one_is_looked_for_once_and_what_others_change_shows_after_a_while(
        self, templates: SlowTemplates, timer: Timer
    ) -> None:
        remembered = RememberedTemplates(templates)
        before = [await self.said(remembered) for _ in range(3)]
        await templates.change("PHARMACY", self.NAME, TemplateText("Dear"), now_us=2)
        timer.at_s += 1.99
        meanwhile = await self.said(remembered)
        timer.at_s += 0.01

        assert [*before, meanwhile] == ["Hello"] * 4
        assert templates.sought == ["greeting"]
        assert await self.said(remembered) == "Dear"

    async def test_what_is_changed_here_shows_at_once(self, templates: SlowTemplates) -> None:
        remembered = RememberedTemplates(templates)
        await self.said(remembered)
        await self.said(remembered, 1)

        await remembered.change("PHARMACY", self.NAME, TemplateText("Dear"), now_us=2)
        changed = await self.said(remembered), await self.said(remembered, 1)
        await remembered.retire("PHARMACY", self.NAME, now_us=3)

        assert changed == ("Dear", "Hello")
        assert (await self.said(remembered), await self.said(remembered, 1)) == (None, None)

    async def test_who_looked_before_a_change_does_not_have_the_old_one_remembered(
        self, templates: SlowTemplates
    ) -> None:
        remembered = RememberedTemplates(templates)
        templates.go.clear()
        looking = asyncio.create_task(self.said(remembered))
        await settled()
        await remembered.change("PHARMACY", self.NAME, TemplateText("Dear"), now_us=2)
        templates.go.set()

        assert await looking == "Hello"
        assert await self.said(remembered) == "Dear"


class CountingTokens(Tokens):
    """Notes the tokens that are verified. `expired`: it takes all of them for expired."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.verified: list[str] = []
        self.expired = False

    def issue(self, grant: Grant) -> str:
        return self._tokens.issue(grant)

    def verify(self, token: str) -> Grant:
        self.verified.append(token)
        if self.expired:
            raise TokenRefused("expired")
        return self._tokens.verify(token)


@pytest.fixture
def tokens() -> CountingTokens:
    return CountingTokens(JwtTokens({"now": b"n" * 32}, issuer="https://hub.example", audience="sms-hub"))


def a_grant(*, lasts: timedelta = timedelta(minutes=15), token_id: str = "01") -> Grant:
    issued_at = datetime.now(UTC).replace(microsecond=0)
    return Grant(
        program_id="city-hall",
        program_sid="AC-1",
        scopes=frozenset({Scope.SEND}),
        issued_at=issued_at,
        expires_at=issued_at + lasts,
        token_id=token_id,
    )


class TestTokens:
    def test_a_good_token_is_verified_once(self, tokens: CountingTokens) -> None:
        remembered = RememberedTokens(tokens)
        grant = a_grant()
        token = remembered.issue(grant)

        assert [remembered.verify(token) for _ in range(3)] == [grant] * 3
        assert tokens.verified == [token]

    def test_each_token_has_its_own_grant(self, tokens: CountingTokens) -> None:
        remembered = RememberedTokens(tokens)
        one, other = (remembered.issue(a_grant(token_id=token_id)) for token_id in ("01", "02"))

        granted = [remembered.verify(token).token_id for token in (one, other, one, other)]

        assert granted == ["01", "02", "01", "02"]

    def test_a_token_that_was_good_is_refused_from_the_moment_in_which_it_expires(
        self, tokens: CountingTokens, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        remembered = RememberedTokens(tokens)
        grant = a_grant()
        token = remembered.issue(grant)
        remembered.verify(token)
        tokens.expired = True
        at_s = grant.expires_at.timestamp()

        monkeypatch.setattr(adapters.remembered, "time", SimpleNamespace(time=lambda: at_s - 0.001))
        assert remembered.verify(token) == grant
        monkeypatch.setattr(adapters.remembered, "time", SimpleNamespace(time=lambda: at_s))
        for _ in range(2):
            with pytest.raises(TokenRefused):
                remembered.verify(token)

    def test_an_expired_token_is_refused_each_time(self, tokens: CountingTokens) -> None:
        remembered = RememberedTokens(tokens)
        token = remembered.issue(a_grant(lasts=-timedelta(seconds=1)))

        for _ in range(2):
            with pytest.raises(TokenRefused):
                remembered.verify(token)

    @pytest.mark.parametrize("forge", [str.upper, lambda token: token + "x", lambda _: "", lambda _: "a.b.c"])
    def test_an_unknown_token_is_refused_each_time(self, tokens: CountingTokens, forge: Callable[[str], str]) -> None:
        remembered = RememberedTokens(tokens)
        good = remembered.issue(a_grant())
        remembered.verify(good)
        forged = forge(good)

        for _ in range(2):
            with pytest.raises(TokenRefused):
                remembered.verify(forged)

        assert tokens.verified == [good, forged, forged]


class SlowBacklog(FakeBacklog):
    """Takes its time, or fails."""

    def __init__(self, *answers: float | Exception) -> None:
        super().__init__(QueueAhead(pace=Pace.parse("1/s"), at_us=0, free_us=7))
        self.answers = list(answers)

    async def at(self, sender_id: int, *, now_us: int) -> QueueAhead:
        ahead = await super().at(sender_id, now_us=now_us)
        answer = self.answers.pop(0) if self.answers else 0.0
        if isinstance(answer, Exception):
            raise answer
        await asyncio.sleep(answer)
        return ahead


class TestBacklog:
    async def test_it_is_looked_at_once_by_all_who_ask_at_once(self) -> None:
        backlog = SlowBacklog(0.01)
        remembered = RememberedBacklog(backlog)

        found = await asyncio.gather(*(remembered.at(1, now_us=0) for _ in range(20)))

        assert backlog.asked == [(1, 0)]
        assert {each.free_us for each in found} == {7}

    async def test_what_joins_counts_until_it_is_looked_at_again(self) -> None:
        remembered = RememberedBacklog(FakeBacklog())
        await remembered.at(1, now_us=0)

        remembered.joined(1, "PHARMACY", Priority.BULK, Waiting(5, 5), now_us=0)
        remembered.joined(2, "PHARMACY", Priority.BULK, Waiting(5, 5), now_us=0)

        assert (await remembered.at(1, now_us=0)).waiting == {(Priority.BULK, "PHARMACY"): Waiting(5, 5)}
        assert (await remembered.at(2, now_us=0)).waiting == {}

    async def test_what_is_old_is_looked_at_again_and_given_meanwhile(self, timer: Timer) -> None:
        backlog = FakeBacklog()
        remembered = RememberedBacklog(backlog, for_s=0.5)
        await remembered.at(1, now_us=0)
        backlog.ahead = QueueAhead(pace=Pace.parse("1/s"), at_us=0, free_us=9)
        timer.at_s += 0.7

        assert (await remembered.at(1, now_us=0)).free_us == 0
        await asyncio.sleep(0.01)
        assert (await remembered.at(1, now_us=0)).free_us == 9

    async def test_what_is_as_old_again_is_waited_for(self, timer: Timer) -> None:
        backlog = FakeBacklog()
        remembered = RememberedBacklog(backlog, for_s=0.5)
        await remembered.at(1, now_us=0)
        backlog.ahead = QueueAhead(pace=Pace.parse("1/s"), at_us=0, free_us=9)
        timer.at_s += 1.1

        assert (await remembered.at(1, now_us=0)).free_us == 9

    @pytest.mark.parametrize("answer", [StoreUnavailable(), 3_600.0])
    async def test_nobody_is_kept_waiting_or_turned_away_for_an_estimate(self, answer: float | Exception) -> None:
        remembered = RememberedBacklog(SlowBacklog(answer))

        async with asyncio.timeout(PATIENCE_S):
            ahead = await remembered.at(1, now_us=0)

        assert ahead.stopped


class CountingSenders(WaitingSenders):
    def __init__(self) -> None:
        self.asked: list[frozenset[int]] = []

    async def under(self, limit_ids: frozenset[int]) -> Sequence[WaitingSender]:
        self.asked.append(limit_ids)
        return []


async def test_who_waits_for_a_limit_is_looked_up_once_for_all_its_senders() -> None:
    senders = CountingSenders()
    remembered = RememberedWaitingSenders(senders)

    for limit_ids in ({1}, {1}, {1, 2}, {1}):
        assert await remembered.under(frozenset(limit_ids)) == []

    assert senders.asked == [{1}, {1, 2}]


async def test_credentials_are_asked_for_once_in_a_while(timer: Timer) -> None:
    accounts = OneAccount(Credentials({"auth_token": "first"}))
    remembered = RememberedAccounts(accounts, for_s=10)
    await remembered.credentials(1)

    accounts.has = Credentials({"auth_token": "second"})
    timer.at_s += 9.99
    assert (await remembered.credentials(1)).values == {"auth_token": "first"}
    timer.at_s += 0.02
    assert (await remembered.credentials(1)).values == {"auth_token": "second"}


async def test_accounts_are_sought_once_in_a_while_and_those_that_are_not_there_each_time(timer: Timer) -> None:
    accounts = OneAccount(Credentials({}))
    remembered = RememberedAccounts(accounts, for_s=10)

    assert [await remembered.find("twilio", name) for name in ("AC1", "AC1", "AC2", "AC2")] == [1, 1, None, None]
    assert accounts.sought == ["AC1", "AC2", "AC2"]
    timer.at_s += 10.01
    await remembered.find("twilio", "AC1")
    assert accounts.sought == ["AC1", "AC2", "AC2", "AC1"]


class OneAccount(ProviderAccounts):
    def __init__(self, has: Credentials) -> None:
        self.has = has
        self.sought: list[str] = []

    async def find(self, provider: str, account: str) -> int | None:
        assert provider == "twilio"
        self.sought.append(account)
        return 1 if account == "AC1" else None

    async def credentials(self, account_id: int) -> Credentials:
        assert account_id == 1
        return self.has

    async def seal_anew(self) -> int:
        return 1


class SlowWorkload(Workload):
    """Takes so many seconds of the timer."""

    def __init__(self, timer: Timer, *, takes_s: float) -> None:
        self.asked = 0
        self._timer = timer
        self._takes_s = takes_s

    async def now(self, *, now_us: int) -> Load:
        _ = now_us
        self.asked += 1
        self._timer.at_s += self._takes_s
        return Load(queued=self.asked, scheduled=0, senders=[])


class TestWorkload:
    @pytest.mark.parametrize(("takes_s", "for_s"), [(0.001, 5), (0.5, 50)])
    async def test_it_is_looked_at_the_more_seldom_the_longer_that_takes(
        self, timer: Timer, takes_s: float, for_s: float
    ) -> None:
        workload = SlowWorkload(timer, takes_s=takes_s)
        remembered = RememberedWorkload(workload)
        await remembered.now(now_us=0)

        timer.at_s += for_s - 0.1
        assert (await remembered.now(now_us=0)).queued == 1
        assert workload.asked == 1
        timer.at_s += for_s + 0.2
        assert (await remembered.now(now_us=0)).queued == 2

    async def test_all_who_ask_at_once_share_one_look(self, timer: Timer) -> None:
        workload = SlowWorkload(timer, takes_s=0)
        remembered = RememberedWorkload(workload)

        await asyncio.gather(*(remembered.now(now_us=0) for _ in range(20)))

        assert workload.asked == 1


class CountedSigns(VitalSigns):
    def __init__(self) -> None:
        self.asked = 0

    async def now(self, *, now_us: int) -> Vitals:
        _ = now_us
        self.asked += 1
        return Vitals(dispatchers=self.asked, sending=0, unknown=0, oldest_unknown_us=0, caps_used={})


async def test_vital_signs_are_read_every_two_seconds_at_most(timer: Timer) -> None:
    signs = CountedSigns()
    remembered = RememberedVitalSigns(signs)

    for _ in range(20):
        await remembered.now(now_us=0)
    assert signs.asked == 1
    timer.at_s += 15
    assert (await remembered.now(now_us=0)).dispatchers == 2
