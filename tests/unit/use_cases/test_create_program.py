"""How programs come to be."""

from itertools import count

import pytest

from domain.errors import InvalidValue, PaceDiffers, ProgramExists, UnknownProvider
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.program_key import KeyHash, ProgramKey
from domain.model.sender import SenderAddress
from domain.use_cases.create_program import CreateProgram, FirstHubIdentity
from domain.use_cases.list_programs import ListPrograms
from tests.unit.fakes import FakeClock, InMemoryPrograms, OpenProvider

PROVIDERS = {name: OpenProvider() for name in ("vonage", "sandbox", "twilio")}

SHORT_CODE = SenderAddress("72975")
FIRST_HUB = FirstHubIdentity(program_id="PHARMACY", program_sid="pharmacy-sid", key=ProgramKey("hard-coded"))


class Hub:
    def __init__(self, *, pepper: tuple[str, bytes] | None = None) -> None:
        ids = count(1)
        self.programs = InMemoryPrograms()
        self.create_program = CreateProgram(
            programs=self.programs,
            clock=FakeClock(),
            providers=PROVIDERS,
            new_id=lambda: f"id-{next(ids)}",
            pepper=pepper,
        )

    async def create(
        self,
        name: str = "Pharmacy",
        *,
        provider: str = "sandbox",
        sender: SenderAddress = SHORT_CODE,
        pace: str | None = None,
        first_hub: FirstHubIdentity | None = None,
    ) -> tuple[Program, ProgramKey]:
        return await self.create_program(
            name=name,
            provider=provider,
            sender=sender,
            pace=None if pace is None else Pace.parse(pace),
            first_hub=first_hub,
        )

    async def stored_keys(self, sid: str) -> list[KeyHash]:
        found = await self.programs.find_with_keys(sid)
        assert found is not None
        return [each.hash for each in found[1]]


async def test_a_new_program_has_ids_of_its_own_and_what_it_was_given() -> None:
    hub = Hub()
    program, _ = await hub.create(pace="40/min")
    assert (program.id, program.sid, program.name) == ("id-1", "id-2", "Pharmacy")
    assert (program.sender.provider, program.sender.address, str(program.sender.pace)) == (
        "sandbox",
        SHORT_CODE,
        "40/min",
    )
    assert not program.first_hub
    assert await hub.programs.find("ID-1") == program


async def test_the_key_is_told_once_and_only_its_hash_is_kept() -> None:
    hub = Hub()
    program, key = await hub.create()
    assert await hub.stored_keys(program.sid) == [KeyHash(key.hash())]


async def test_the_hash_is_peppered_and_names_its_pepper() -> None:
    hub = Hub(pepper=("2026", b"pepper"))
    program, key = await hub.create()
    assert await hub.stored_keys(program.sid) == [KeyHash(key.hash(b"pepper"), "2026")]


async def test_no_two_programs_get_the_same_key() -> None:
    hub = Hub()
    _, one = await hub.create("One")
    _, other = await hub.create("Other")
    assert one != other


async def test_a_program_of_the_first_hub_keeps_what_its_clients_have_hard_coded() -> None:
    hub = Hub()
    program, key = await hub.create(first_hub=FIRST_HUB)
    assert (program.id, program.sid, program.first_hub) == ("PHARMACY", "pharmacy-sid", True)
    assert key == ProgramKey("hard-coded")
    assert await hub.stored_keys("pharmacy-sid") == [KeyHash(key.hash())]


@pytest.mark.parametrize(("program_id", "sid"), [("pharmacy", "other-sid"), ("OTHER", "pharmacy-sid")])
async def test_no_id_and_no_sid_is_given_twice(program_id: str, sid: str) -> None:
    hub = Hub()
    await hub.create(first_hub=FIRST_HUB)
    with pytest.raises(ProgramExists):
        await hub.create(first_hub=FirstHubIdentity(program_id=program_id, program_sid=sid, key=ProgramKey("x")))


async def test_programs_may_share_a_sender_and_its_pace() -> None:
    hub = Hub()
    one, _ = await hub.create("One", pace="40/min")
    other, _ = await hub.create("Other")
    third, _ = await hub.create("Third", pace="40/min")
    assert one.sender == other.sender == third.sender


async def test_a_sender_that_is_shared_keeps_its_pace() -> None:
    hub = Hub()
    await hub.create("One", pace="40/min")
    with pytest.raises(PaceDiffers) as refused:
        await hub.create("Other", pace="50/s")
    assert refused.value.current == "40/min"
    assert await hub.programs.find("id-3") is None


async def test_an_unknown_provider_is_refused_and_the_known_ones_are_named() -> None:
    hub = Hub()
    with pytest.raises(UnknownProvider) as refused:
        await hub.create(provider="pigeon")
    assert "known are sandbox, twilio, vonage" in str(refused.value)
    assert not await hub.programs.all()


async def test_a_program_without_a_name_is_refused() -> None:
    hub = Hub()
    with pytest.raises(InvalidValue):
        await hub.create("")
    assert not await hub.programs.all()


async def test_an_identity_of_the_first_hub_shown_in_a_log_does_not_show_its_key() -> None:
    assert "hard-coded" not in repr(FIRST_HUB)


async def test_programs_are_listed_by_name() -> None:
    hub = Hub()
    for name in ("Library", "Clinic", "Pharmacy"):
        await hub.create(name)
    assert [program.name for program in await ListPrograms(programs=hub.programs)()] == [
        "Clinic",
        "Library",
        "Pharmacy",
    ]
