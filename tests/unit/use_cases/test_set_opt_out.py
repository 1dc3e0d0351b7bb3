"""How a number's opt-out is set and lifted."""

import pytest

from domain.errors import NumberRefused, OtherProgram, TokenRefused
from domain.model.program import Program
from domain.use_cases.set_opt_out import SetOptOut
from tests.unit.builders import a_grant, a_number, a_program, a_sender
from tests.unit.fakes import FakeClock, InMemoryOptOuts, InMemoryPrograms, InMemoryStore

NUMBER = a_number(4544)


class Hub:
    def __init__(self, *programs: Program) -> None:
        self.opt_outs = InMemoryOptOuts(InMemoryStore())
        self.set_opt_out = SetOptOut(
            programs=InMemoryPrograms(*(programs or [a_program()])),
            opt_outs=self.opt_outs,
            clock=FakeClock(),
            default_region="US",
        )

    async def has_opted_out(self, program_id: str = "PHARMACY") -> bool:
        return NUMBER in await self.opt_outs.among(program_id, [NUMBER], sender_id=1)


async def test_a_number_opts_out_and_in_again() -> None:
    hub = Hub()
    await hub.set_opt_out(a_grant(), "+19706904544", do_not_text=True)
    assert await hub.has_opted_out()
    await hub.set_opt_out(a_grant(), "+19706904544", do_not_text=False)
    assert not await hub.has_opted_out()


async def test_opting_out_twice_is_opting_out_once() -> None:
    hub = Hub()
    for _ in range(2):
        await hub.set_opt_out(a_grant(), "+19706904544", do_not_text=True)
    await hub.set_opt_out(a_grant(), "+19706904544", do_not_text=False)
    assert not await hub.has_opted_out()


async def test_opting_in_without_having_opted_out_changes_nothing() -> None:
    hub = Hub()
    await hub.set_opt_out(a_grant(), "+19706904544", do_not_text=False)
    assert not await hub.has_opted_out()


@pytest.mark.parametrize("written", ["(970) 690-4544", " 970.690.4544\n", "1 970 690 4544", "+1 970 690 4544"])
async def test_a_number_is_the_same_in_any_writing_and_told_as_it_was_read(written: str) -> None:
    hub = Hub()
    assert await hub.set_opt_out(a_grant(), written, do_not_text=True) == NUMBER
    assert await hub.has_opted_out()


async def test_a_number_without_country_code_is_of_the_country_of_the_sender() -> None:
    hub = Hub(a_program(sender=a_sender(address="+4915112345678")))
    read = await hub.set_opt_out(a_grant(), "0151 23456789", do_not_text=True)
    assert read.e164 == "+4915123456789"


async def test_an_opt_out_is_of_one_programs_texts_alone() -> None:
    hub = Hub(a_program(), a_program("LIBRARY", sid="library-sid"))
    await hub.set_opt_out(a_grant(), "+19706904544", do_not_text=True)
    assert not await hub.has_opted_out("LIBRARY")


async def test_an_opt_out_is_kept_under_the_programs_own_id_however_the_token_writes_it() -> None:
    hub = Hub()
    await hub.set_opt_out(a_grant("pharmacy"), "+19706904544", do_not_text=True)
    assert await hub.has_opted_out("PHARMACY")


@pytest.mark.parametrize("program_id", [None, "PHARMACY", "pharmacy"])
async def test_a_program_may_name_itself_in_any_letter_case_or_not_at_all(program_id: str | None) -> None:
    hub = Hub()
    await hub.set_opt_out(a_grant(), "+19706904544", do_not_text=True, program_id=program_id)
    assert await hub.has_opted_out()


async def test_a_program_sets_no_opt_out_of_anothers() -> None:
    hub = Hub(a_program(), a_program("LIBRARY", sid="library-sid"))
    with pytest.raises(OtherProgram):
        await hub.set_opt_out(a_grant(), "+19706904544", do_not_text=True, program_id="LIBRARY")
    assert not await hub.has_opted_out("LIBRARY")
    assert not await hub.has_opted_out()


@pytest.mark.parametrize("written", ["", "911", "970-690-4544, 970-690-4545", "call me"])
async def test_what_is_not_one_number_is_refused(written: str) -> None:
    with pytest.raises(NumberRefused):
        await Hub().set_opt_out(a_grant(), written, do_not_text=True)


async def test_a_token_whose_program_is_gone_is_refused() -> None:
    with pytest.raises(TokenRefused):
        await Hub(a_program("LIBRARY")).set_opt_out(a_grant(), "+19706904544", do_not_text=True)
