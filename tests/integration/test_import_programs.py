"""The first hub's programs come over in bulk."""

from collections.abc import AsyncIterator, Sequence

import pytest

from domain.errors import InvalidValue
from domain.model.credentials import Credentials
from domain.model.program_key import ProgramKey
from domain.use_cases.import_programs import ImportedPrograms
from entrypoints.container import Container, close
from entrypoints.settings import Settings
from tests.e2e.sending import ENCRYPTION_KEYS

HEADER = "ProgramId,ProgramSID,ProgramKey,Name,Sender,Provider,Rate"
PHARMACY = "PHARMACY,pharmacy-sid,hard-coded,Pharmacy,+19705550100,sandbox,"
LIBRARY = "LIBRARY,library-sid,open sesame,Library,+19705550101,sandbox,40/min"


TWILIO = Credentials({"account_sid": f"AC{'1' * 32}", "auth_token": "2" * 32})


class Hub:
    def __init__(self, container: Container) -> None:
        self.container = container
        self.programs = container.programs()

    async def imported(
        self, *rows: str, header: str = HEADER, dry_run: bool = False, credentials: Credentials | None = None
    ) -> ImportedPrograms:
        return await self.container.import_programs()([header, *rows], credentials=credentials, dry_run=dry_run)

    async def names(self) -> Sequence[str]:
        return [each.name for each in await self.programs.all()]


@pytest.fixture
async def hub(database_url: str) -> AsyncIterator[Hub]:
    settings = Settings.from_environment(database_url=database_url, encryption_keys=ENCRYPTION_KEYS)
    container = Container(settings=settings)
    yield Hub(container)
    await close(container)


def told(imported: ImportedPrograms) -> tuple[int, int, list[tuple[int, str]]]:
    return imported.added, imported.known, [(each.line, each.reason) for each in imported.bad]


async def test_programs_keep_what_their_clients_have_hard_coded(hub: Hub) -> None:

    assert told(await hub.imported(PHARMACY, LIBRARY)) == (2, 0, [])

    found = await hub.programs.find_with_keys("pharmacy-sid")
    assert found is not None
    program, (key,) = found
    assert (program.id, program.name, program.first_hub) == ("PHARMACY", "Pharmacy", True)
    assert key.hash.digest == ProgramKey("hard-coded").hash()
    library = await hub.programs.find("library")
    assert library is not None
    assert str(library.sender.pace) == "40/min"


async def test_the_same_list_may_be_given_again(hub: Hub) -> None:
    await hub.imported(PHARMACY)

    assert told(await hub.imported(PHARMACY, LIBRARY)) == (1, 1, [])
    assert await hub.names() == ["Library", "Pharmacy"]


async def test_a_dry_run_says_what_would_come_of_it_and_changes_nothing(hub: Hub) -> None:
    bad = "X,x-sid,key,X,not a sender at all,sandbox,"

    dry = told(await hub.imported(PHARMACY, bad, LIBRARY, dry_run=True))

    assert await hub.names() == []
    assert dry == told(await hub.imported(PHARMACY, bad, LIBRARY))
    assert (dry[0], dry[1], [line for line, _ in dry[2]]) == (2, 0, [3])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("OTHER,pharmacy-sid,k,Other,+19705550102,sandbox,", "has a ProgramId or ProgramSID that another program has"),
        ("Pharmacy,other-sid,k,Other,+19705550102,sandbox,", "has a ProgramId or ProgramSID that another program has"),
        ("X,x-sid,,X,+19705550102,sandbox,", "is refused: ProgramKey is empty."),
        ("X,x-sid,k,X,+19705550102,sandbox,fast", "is refused: "),
        ("X,x-sid,k,X,+19705550100,sandbox,7/s", "has another rate than the sender has, which is 1/s"),
        ("X,x-sid,k,X,+19705550102,pigeon,", "is refused: "),
        (f"X,x-sid,k,{'x' * 101},+19705550102,sandbox,", "is refused: A program's name is 1 to 100"),
        ('X,"x', "is no valid CSV"),
    ],
)
async def test_a_bad_row_is_told_by_its_line_and_keeps_no_other_out(hub: Hub, row: str, reason: str) -> None:
    await hub.imported(PHARMACY)
    for dry_run in (True, False):
        imported = await hub.imported(LIBRARY, row, dry_run=dry_run)

        assert imported.added == 1
        (bad,) = imported.bad
        assert bad.line == 3
        assert bad.reason.startswith(reason)


async def test_of_two_rows_of_one_identity_the_first_is_taken(hub: Hub) -> None:
    again = PHARMACY.replace("pharmacy-sid", "other-sid")
    for dry_run in (True, False):
        imported = await hub.imported(PHARMACY, again, dry_run=dry_run)
        assert (imported.added, [each.line for each in imported.bad]) == (1, [3])


async def test_a_new_sender_of_a_real_provider_needs_credentials(hub: Hub) -> None:
    row = "X,x-sid,k,X,+19705550102,twilio,"
    without = await hub.imported(row, dry_run=True)

    assert [each.reason for each in without.bad] == [
        "has a sender that is new, whose provider's credentials are needed"
    ]
    assert told(await hub.imported(row, credentials=TWILIO)) == (1, 0, [])


@pytest.mark.parametrize("header", ["ProgramId,ProgramSID", "", "Name"])
async def test_a_list_without_its_columns_is_refused(hub: Hub, header: str) -> None:
    with pytest.raises(InvalidValue, match="has no column"):
        await hub.imported(PHARMACY, header=header)
