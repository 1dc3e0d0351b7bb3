"""A whole hub in this process, with a provider that does as it is told and notes what leaves when."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from dependency_injector import providers

from domain.model.access import Grant, Scope
from domain.model.credentials import Credentials
from domain.model.delivery import Delivery
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import Accepted, EnquiryAnswer, NotFound, SendOutcome
from domain.model.sender import SenderAddress
from domain.model.terms import OnUnknown, Terms
from domain.model.text_message import TextMessage
from domain.ports.due_deliveries import Enquiry
from domain.ports.sms_provider import Departure, OutgoingText, SmsProvider
from domain.use_cases.send_text import SendTextCommand
from entrypoints.container import Container
from entrypoints.settings import Settings
from tests.builders import SENDER
from tests.conftest import close
from tests.patience import PATIENCE_S

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Left:
    """A text as it left. `at_us` is monotonic."""

    at_us: int
    number: str
    delivery_id: int
    sender: SenderAddress


class ScriptedProvider(SmsProvider):
    """`outcomes` are those of the next calls, in their order; all others are accepted. `always` are those of all calls
    for a sender. `answer` is that to enquiries.

    `ready_after_s`: how long the connection of the very first call takes. `answers_after_s`: how long an answer to an
    enquiry takes.
    """

    def __init__(
        self,
        outcomes: Iterable[SendOutcome] = (),
        *,
        answer: EnquiryAnswer | None = None,
        ready_after_s: float = 0,
        answers_after_s: float = 0,
    ) -> None:
        self.outcomes = deque(outcomes)
        self.always: dict[SenderAddress, SendOutcome] = {}
        self.answer = answer or NotFound()
        self.left: list[Left] = []
        self.asked = 0
        self._ready_after_s = ready_after_s
        self._answers_after_s = answers_after_s

    def account_of(self, credentials: Credentials) -> str:  # noqa: ARG002 - the port's own
        return "sandbox"

    async def send(self, text: OutgoingText, departure: Departure) -> SendOutcome:
        ready_after_s, self._ready_after_s = self._ready_after_s, 0
        await asyncio.sleep(ready_after_s)
        await departure()
        self.left.append(Left(time.monotonic_ns() // 1_000, text.number.e164, text.delivery_id, text.sender))
        if text.sender in self.always:
            return self.always[text.sender]
        return self.outcomes.popleft() if self.outcomes else Accepted(f"reference-{text.delivery_id}")

    async def look_up(self, enquiry: Enquiry) -> EnquiryAnswer:  # noqa: ARG002 - the port's own
        self.asked += 1
        await asyncio.sleep(self._answers_after_s)
        return self.answer

    async def prepare(self) -> None:
        """It is ready."""

    async def close(self) -> None:
        """It holds nothing."""

    def gaps_us(self, sender: SenderAddress | None = None) -> Sequence[int]:
        """Between texts of the sender, or of all where none is given."""
        times = [each.at_us for each in self.left if sender in {None, each.sender}]
        return [later - earlier for earlier, later in pairwise(times)]


class WorkingHub:
    """On a database that is migrated, and maybe shared with others of its kind. The provider is the sandbox's; without
    one the hub has its own providers.
    """

    def __init__(
        self,
        database_url: str,
        provider: ScriptedProvider | None = None,
        *,
        retry: RetryPolicy | None = None,
        **settings: str,
    ) -> None:
        self.container = Container(settings=Settings.from_environment(database_url=database_url, **settings))
        if provider is not None:
            self.container.sms_providers.override(
                providers.Dict(sandbox=providers.Object(provider), mail=self.container.mail)
            )
        if retry is not None:
            self.container.retry.override(providers.Object(retry))
        self.provider = provider or ScriptedProvider()

    async def program(
        self,
        *,
        rate: str,
        on_unknown: OnUnknown = OnUnknown.LEAVE,
        failover: bool = False,
        mail_to: str | None = None,
        sender: SenderAddress = SENDER,
        provider: str = "sandbox",
        credentials: Credentials | None = None,
    ) -> Program:
        program, _ = await self.container.create_program()(
            name="City Hall",
            provider=provider,
            sender=sender,
            pace=Pace.parse(rate),
            terms=Terms(on_unknown=on_unknown, failover=failover, mail_to=mail_to),
            credentials=credentials,
        )
        return program

    async def add_sender(self, program: Program, address: SenderAddress, *, rate: str) -> Program:
        return await self.container.add_sender()(
            program.id, provider="sandbox", sender=address, pace=Pace.parse(rate), credentials=None
        )

    async def post(
        self, program: Program, numbers: Sequence[str], *, text: str = "Hello", send_at_us: int | None = None
    ) -> TextMessage:
        now = datetime.now(UTC)
        grant = Grant(
            program_id=program.id,
            program_sid=program.sid,
            scopes=frozenset({Scope.SEND}),
            issued_at=now,
            expires_at=now,
            token_id="of-the-tests",
        )
        command = SendTextCommand(text=text, recipients=",".join(numbers), send_at_us=send_at_us)
        return (await self.container.send_text()(grant, command)).summary.message

    @asynccontextmanager
    async def dispatching(self) -> AsyncIterator[None]:
        """All that a dispatcher does, until the end; then it hands back what it has not sent."""
        await self.container.clock().synchronise()
        stopping = asyncio.Event()
        running = asyncio.create_task(self.container.dispatcher().run(stopping))
        try:
            yield
        finally:
            stopping.set()
            await asyncio.wait_for(running, PATIENCE_S)

    async def until(self, reached: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
        deadline = time.monotonic() + within_s
        while not reached():
            assert time.monotonic() < deadline, f"not within {within_s} s; so far {len(self.provider.left)} have left"
            await asyncio.sleep(0.01)

    async def until_are(
        self,
        program: Program,
        message: TextMessage,
        reached: Callable[[Delivery], bool],
        *,
        within_s: float = PATIENCE_S,
    ) -> Sequence[Delivery]:
        """The message's deliveries, once this is true of each."""
        deadline = time.monotonic() + within_s
        while not all(map(reached, found := await self.deliveries(program, message))):
            assert time.monotonic() < deadline, f"not within {within_s} s: {found}"
            await asyncio.sleep(0.05)
        return found

    async def until_left(self, count: int, *, within_s: float = PATIENCE_S) -> None:
        await self.until(lambda: len(self.provider.left) >= count, within_s=within_s)

    async def deliveries(self, program: Program, message: TextMessage) -> Sequence[Delivery]:
        page = await self.container.texts().deliveries(program.id, message.id, after=0, limit=1_000)
        assert page is not None
        return [each.delivery for each in page.items]

    async def close(self) -> None:
        for provider in self.container.sms_providers().values():
            await provider.close()
        await self.container.sql_intake().drained()
        await self.container.webhook_transport().close()
        await close(self.container.database())


@asynccontextmanager
async def a_hub(
    database_url: str, provider: ScriptedProvider | None = None, *, retry: RetryPolicy | None = None, **settings: str
) -> AsyncIterator[WorkingHub]:
    hub = WorkingHub(database_url, provider, retry=retry, **settings)
    try:
        yield hub
    finally:
        await hub.close()


def assert_apart(provider: ScriptedProvider, *, pace: str, sender: SenderAddress | None = None) -> None:
    """No two texts of the sender left closer than the pace allows, by one process's own clock. Without one, all came
    from the same.
    """
    least_us = Pace.parse(pace).interval_us() - 1_000
    gaps = provider.gaps_us(sender)
    early = [gap for gap in gaps if gap < least_us]
    assert not early, f"{len(early)} of {len(gaps)} too close: {early[:5]}"
