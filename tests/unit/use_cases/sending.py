"""A hub that accepts texts, and no more."""

from dataclasses import replace

import pytest

from domain.errors import HubError
from domain.model.program import Program
from domain.model.text_message import TextSummary
from domain.use_cases.send_text import SendText, SendTextCommand
from tests.unit.builders import NOON, a_grant, a_program, a_sender
from tests.unit.fakes import (
    FakeBacklog,
    FakeClock,
    FakeWakeups,
    InMemoryContacts,
    InMemoryIntake,
    InMemoryOptOuts,
    InMemoryPrograms,
    InMemoryStore,
    InMemoryTemplates,
    InMemoryTextLog,
)


def a_store() -> InMemoryStore:
    return InMemoryStore(a_sender())


class Hub:
    """A hub in the United States with one program."""

    def __init__(self, program: Program | None = None) -> None:
        program = program or a_program()
        self.clock = FakeClock(NOON)
        self.store = InMemoryStore(*program.senders)
        self.texts = InMemoryTextLog(self.store)
        self.intake = InMemoryIntake(self.store)
        self.opt_outs = InMemoryOptOuts(self.store)
        self.wakeups = FakeWakeups(self.clock)
        self.backlog = FakeBacklog()
        self.templates = InMemoryTemplates()
        self.send = SendText(
            programs=InMemoryPrograms(program),
            templates=self.templates,
            contacts=InMemoryContacts(self.store),
            intake=self.intake,
            backlog=self.backlog,
            wakeups=self.wakeups,
            clock=self.clock,
            default_region="US",
        )

    def change(self, program: Program) -> None:
        """The program is another from now on."""
        self.send = replace(self.send, programs=InMemoryPrograms(program))

    async def text(
        self,
        to: str = "970-690-4544",
        text: str = "Your appointment is tomorrow.",
        *,
        program_id: str | None = None,
        client_date_sent: str | None = None,
    ) -> TextSummary:
        command = SendTextCommand(text=text, recipients=to, program_id=program_id, client_date_sent=client_date_sent)
        return (await self.send(a_grant(), command)).summary

    async def refused(
        self, to: str = "970-690-4544", text: str = "Hello.", *, program_id: str | None = None
    ) -> HubError:
        """What it was refused for; nothing was stored and nobody was woken."""
        return await self.refusal_of(SendTextCommand(text=text, recipients=to, program_id=program_id))

    async def refusal_of(self, command: SendTextCommand) -> HubError:
        with pytest.raises(HubError) as refused:
            await self.send(a_grant(), command)
        assert not self.store.rows
        assert not self.store.messages
        assert not self.wakeups.notified
        return refused.value

    def numbers(self) -> list[str]:
        return [delivery.number.e164 for delivery in self.store.deliveries()]
