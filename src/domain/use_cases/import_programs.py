"""The first hub's programs, as CSV: one row for each, with a header."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from domain.errors import CredentialsMissing, HubError, InvalidValue, PaceDiffers, ProgramExists
from domain.model.bad_row import BadRow
from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.program import check_names
from domain.model.program_key import ProgramKey
from domain.model.sender import SenderAddress
from domain.ports.programs import Programs
from domain.ports.senders import Senders
from domain.ports.sms_provider import SmsProvider, account_at
from domain.use_cases.create_program import CreateProgram, FirstHubIdentity

REQUIRED = ("ProgramId", "ProgramSID", "ProgramKey", "Name", "Sender", "Provider")
COLUMNS = (*REQUIRED, "Rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedPrograms:
    """`known` are those that are here already, with the same ProgramId and ProgramSID; they stay as they are."""

    added: int = 0
    known: int = 0
    bad: Sequence[BadRow] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    line: int
    identity: FirstHubIdentity = field(repr=False)
    name: str
    sender: SenderAddress
    provider: str
    pace: Pace | None


@dataclass(frozen=True, kw_only=True)
class ImportPrograms:
    """Takes programs over from the first hub with the identity that their clients have hard-coded.

    What is good is taken, whatever else stands in the list; the same list may be given again.
    """

    create: CreateProgram
    programs: Programs
    senders: Senders
    providers: Mapping[str, SmsProvider]

    async def __call__(
        self, lines: Iterable[str], *, credentials: Credentials | None = None, dry_run: bool = False
    ) -> ImportedPrograms:
        """`credentials` are those of the provider account that all new senders belong to. A dry run says what would
        come of it, and changes nothing. Raises `InvalidValue` where the list lacks a column.
        """
        bad: list[BadRow] = []
        added = known = 0
        taken: set[str] = set()
        for row in _rows(lines, bad):
            try:
                if await self._is_here(row):
                    known += 1
                    continue
                await self._check(row, credentials, taken)
                if not dry_run:
                    await self._add(row, credentials)
            except HubError as error:
                bad.append(BadRow(row.line, _reason(error)))
            else:
                added += 1
        return ImportedPrograms(added=added, known=known, bad=tuple(sorted(bad, key=lambda each: each.line)))

    async def _is_here(self, row: _Row) -> bool:
        """Raises `ProgramExists` where another program has the one or the other."""
        by_id = await self.programs.find(row.identity.program_id)
        by_sid = await self.programs.find_with_keys(row.identity.program_sid)
        if by_id is None and by_sid is None:
            return False
        if by_id is None or by_sid is None or by_id.id != by_sid[0].id:
            raise ProgramExists
        return True

    async def _check(self, row: _Row, credentials: Credentials | None, taken: set[str]) -> None:
        """What the store would refuse, as far as it can be told before."""
        names = {f"id {row.identity.program_id.casefold()}", f"sid {row.identity.program_sid}"}
        if names & taken:
            raise ProgramExists
        taken |= names
        account = await account_at(self.providers, row.provider, credentials)
        here = [
            each
            for each in await self.senders.all()
            if (each.provider, each.address) == (row.provider, row.sender)
            and (account is None or each.account == account.name)
        ]
        if account is None and len(here) != 1:
            raise CredentialsMissing
        for each in here:
            if row.pace is not None and each.pace != row.pace:
                raise PaceDiffers(current=str(each.pace))

    async def _add(self, row: _Row, credentials: Credentials | None) -> None:
        await self.create(
            name=row.name,
            provider=row.provider,
            sender=row.sender,
            pace=row.pace,
            credentials=credentials,
            first_hub=row.identity,
        )


def _reason(error: HubError) -> str:
    match error:
        case ProgramExists():
            return "has a ProgramId or ProgramSID that another program has"
        case CredentialsMissing():
            return "has a sender that is new, whose provider's credentials are needed"
        case PaceDiffers():
            return f"has another rate than the sender has, which is {error.current}"
        case _:
            return f"is refused: {error}"


def _rows(lines: Iterable[str], bad: list[BadRow]) -> Iterator[_Row]:
    """The good ones; the others are added to `bad`."""
    reader = csv.reader(lines, strict=True)
    columns: Sequence[str] | None = None
    while True:
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            bad.append(BadRow(reader.line_num, "is no valid CSV"))
            continue
        if columns is None:
            columns = _header(cells)
            continue
        if not any(cells):
            continue
        try:
            yield _row(reader.line_num, dict(zip(columns, cells, strict=False)))
        except InvalidValue as fault:
            bad.append(BadRow(reader.line_num, f"is refused: {fault}"))


def _header(cells: Sequence[str]) -> Sequence[str]:
    """Raises `InvalidValue`."""
    names = [cell.casefold().removeprefix("\ufeff") for cell in cells]
    missing = [name for name in REQUIRED if name.casefold() not in names]
    if missing:
        raise InvalidValue(f"The list has no column {missing[0]}.")
    return names


def _row(line: int, named: Mapping[str, str]) -> _Row:
    """Raises `InvalidValue`."""
    empty = [name for name in REQUIRED if not named.get(name.casefold())]
    if empty:
        raise InvalidValue(f"{empty[0]} is empty.")
    check_names(named["programid"], named["programsid"], named["name"])
    rate = named.get("rate")
    return _Row(
        line=line,
        identity=FirstHubIdentity(
            program_id=named["programid"], program_sid=named["programsid"], key=ProgramKey(named["programkey"])
        ),
        name=named["name"],
        sender=SenderAddress(named["sender"]),
        provider=named["provider"].casefold(),
        pace=Pace.parse(rate) if rate else None,
    )
