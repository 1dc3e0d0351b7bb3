"""How programs get further senders."""

import pytest

from domain.errors import PaceDiffers, ProgramNotFound, UnknownProvider
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.sender import SenderAddress
from domain.use_cases.add_sender import AddSender
from tests.unit.builders import a_program, a_sender
from tests.unit.fakes import InMemoryPrograms, OpenProvider

PROVIDERS = {name: OpenProvider() for name in ("vonage", "post")}


class Hub:
    """A hub with two programs that have a sender each."""

    def __init__(self) -> None:
        library = a_program("LIBRARY", sid="library-sid", sender=a_sender("40/min", sender_id=2, address="72975"))
        self.programs = InMemoryPrograms(a_program(), library)

    async def add(
        self, address: str = "+493012345678", *, to: str = "PHARMACY", provider: str = "post", pace: str | None = None
    ) -> Program:
        add_sender = AddSender(programs=self.programs, providers=PROVIDERS)
        parsed = None if pace is None else Pace.parse(pace)
        return await add_sender(to, provider=provider, sender=SenderAddress(address), pace=parsed)

    async def senders(self, program_id: str = "PHARMACY") -> list[str]:
        program = await self.programs.find(program_id)
        assert program is not None
        return [f"{sender.address.value} at {sender.pace}" for sender in program.senders]


async def test_a_program_may_have_several_senders_and_keeps_its_own() -> None:
    hub = Hub()
    program = await hub.add(pace="20/min")
    assert program.sender.address == SenderAddress("+18005550100")
    assert await hub.senders() == ["+18005550100 at 1/s", "+493012345678 at 20/min"]
    assert await hub.senders("LIBRARY") == ["72975 at 40/min"]


async def test_adding_a_sender_again_changes_nothing() -> None:
    hub = Hub()
    once = await hub.add(pace="20/min")
    assert await hub.add() == await hub.add(pace="20/min") == once


async def test_adding_the_programs_own_sender_changes_nothing() -> None:
    hub = Hub()
    await hub.add("+18005550100")
    assert await hub.senders() == ["+18005550100 at 1/s"]


@pytest.mark.parametrize("pace", [None, "40/min"])
async def test_another_programs_sender_is_shared_with_its_pace(pace: str | None) -> None:
    hub = Hub()
    program = await hub.add("72975", pace=pace)
    library = await hub.programs.find("LIBRARY")
    assert library is not None
    assert program.senders[1] == library.sender


async def test_a_shared_sender_cannot_get_another_pace() -> None:
    hub = Hub()
    with pytest.raises(PaceDiffers) as refused:
        await hub.add("72975", pace="1/s")
    assert refused.value.current == "40/min"
    assert await hub.senders() == ["+18005550100 at 1/s"]


async def test_a_program_that_does_not_exist_gets_no_sender() -> None:
    with pytest.raises(ProgramNotFound):
        await Hub().add(to="MUSEUM")


async def test_an_unknown_provider_is_refused_and_the_known_ones_are_named() -> None:
    hub = Hub()
    with pytest.raises(UnknownProvider) as refused:
        await hub.add(provider="pigeon")
    assert "known are post, vonage" in str(refused.value)
    assert await hub.senders() == ["+18005550100 at 1/s"]
