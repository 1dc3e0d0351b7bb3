"""Lists of opt-outs: what is good is taken, what is bad is told by its line."""

import pytest

from domain.errors import InvalidValue, ProgramNotFound
from domain.model.bad_row import BadRow
from domain.model.consent import ConsentEvent, Method
from domain.use_cases.import_opt_outs import Imported, ImportOptOuts
from tests.unit.builders import NOON, a_number, a_program, an_opt_out
from tests.unit.fakes import FakeClock, InMemoryOptOuts, InMemoryPrograms, InMemoryStore


class Hub:
    def __init__(self) -> None:
        self.opt_outs = InMemoryOptOuts(InMemoryStore())
        self.import_opt_outs = ImportOptOuts(
            opt_outs=self.opt_outs, programs=InMemoryPrograms(a_program()), clock=FakeClock(), default_region="US"
        )

    async def imports(self, text: str) -> Imported:
        return await self.import_opt_outs("PHARMACY", text.splitlines(keepends=True), actor="the dean")

    async def proof(self, which: int = 4544) -> ConsentEvent:
        (event,) = (await self.opt_outs.events(a_number(which), limit=10)).items
        return event


async def test_a_list_with_a_header_is_taken_with_its_proof() -> None:
    hub = Hub()

    imported = await hub.imports('Wording,PhoneNumber,Note\n"No more, please!",(970) 690-4544,x\n,+19706904545,\n\n')

    assert imported == Imported(added=2)
    proof = await hub.proof()
    assert (proof.method, proof.wording, proof.actor) == (Method.IMPORT, "No more, please!", "the dean")
    assert (proof.reference, proof.at_us, proof.program_id) == ("line 2", NOON, "PHARMACY")


async def test_without_a_header_each_line_is_a_number() -> None:
    assert await Hub().imports("970-690-4544\n+19706904545") == Imported(added=2)


async def test_what_is_older_keeps_its_date_and_nothing_is_from_the_future() -> None:
    hub = Hub()

    await hub.imports("PhoneNumber,Since\n9706904544,2019-05-01T12:00:00-06:00\n9706904545,2999-01-01\n")

    assert (await hub.proof(4544)).at_us == 1_556_733_600_000_000
    assert (await hub.proof(4545)).at_us == NOON


async def test_bad_lines_are_told_and_keep_no_good_one_out() -> None:
    hub = Hub()

    imported = await hub.imports(
        'PhoneNumber,Since\n970-690\n9706904544,yesterday\ncall me\n9706904545,\n"\n9706904546\n'
    )

    assert (imported.added, imported.bad_in_all) == (1, 4)
    assert [each.line for each in imported.bad] == [2, 3, 4, 7]
    assert imported.bad[:2] == (BadRow(2, "is too short"), BadRow(3, "has a time that cannot be read"))
    assert (await hub.proof(4545)).reference == "line 5"


async def test_a_list_may_be_given_again_and_numbers_may_stand_twice() -> None:
    hub = Hub()
    await hub.opt_outs.record([an_opt_out("PHARMACY", a_number(1), at_us=NOON)])
    text = f"{a_number(1).e164}\n{a_number(2).e164}\n(970) 690-0002\n{a_number(3).e164}\n"

    first = await hub.imports(text)
    again = await hub.imports(text)

    assert (first.added, first.known) == (2, 2)
    assert (again.added, again.known) == (0, 4)
    assert len((await hub.opt_outs.events(a_number(2), limit=10)).items) == 1


async def test_a_list_without_numbers_is_refused_and_so_is_a_program_that_is_not_there() -> None:
    hub = Hub()

    with pytest.raises(InvalidValue, match="no column PhoneNumber"):
        await hub.imports("Name,Telephone\nDean,9706904544\n")
    with pytest.raises(ProgramNotFound):
        await hub.import_opt_outs("NOBODY", [], actor="the dean")


async def test_progress_is_told_by_rows() -> None:
    told: list[int] = []
    hub = Hub()

    await hub.import_opt_outs(
        "PHARMACY", [f"+1970{5_550_000 + each}\n" for each in range(600)], actor="the dean", progress=told.append
    )

    assert told == [250, 250, 100]
