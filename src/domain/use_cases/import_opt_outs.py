"""Lists of opt-outs, as CSV: the column PhoneNumber, and Since and Wording where they are known."""

import asyncio
import csv
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from domain.errors import InvalidValue, NumberRefused, NumbersMissing, ProgramNotFound
from domain.model.bad_row import BadRow
from domain.model.consent import Consent, ConsentEvent, Method
from domain.model.instant import microseconds_of
from domain.model.phone_number import PhoneNumber
from domain.model.program import Program
from domain.ports.clock import Clock
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs

COLUMNS = ("PhoneNumber", "Since", "Wording")

# Others write in between, on SQLite one at a time.
_AT_ONCE = 250
# Reading a row takes some 0.03 ms: after so many it is others' turn.
_AT_A_STRETCH = 50
# Of a row that goes on and on, no more is looked at.
_MOST_COLUMNS = 100
_LONGEST_WORDING = 1_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """`known` are those that had opted out already, `bad` the first of `bad_in_all` rows."""

    added: int = 0
    known: int = 0
    bad: Sequence[BadRow] = ()
    bad_in_all: int = 0


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    number: PhoneNumber
    since_us: int | None
    wording: str | None


@dataclass(slots=True)
class _BadRows:
    at_most: int | None
    first: list[BadRow] = field(default_factory=list)
    count: int = 0

    def add(self, line: int, reason: str) -> None:
        self.count += 1
        if self.at_most is None or self.count <= self.at_most:
            self.first.append(BadRow(line, reason))


@dataclass(frozen=True, kw_only=True)
class ImportOptOuts:
    """Adds the opt-outs of a list to a program's. What is good is taken, whatever else stands in the list; the same
    list may be given again, also after only a part of it was taken.
    """

    opt_outs: OptOuts
    programs: Programs
    clock: Clock
    default_region: str

    async def __call__(
        self,
        program_id: str,
        lines: Iterable[str],
        *,
        actor: str | None = None,
        bad_at_most: int | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Imported:
        """`actor` says so, the program itself where none is given. The first `bad_at_most` of the bad rows are told,
        or all. `progress` is told how many rows were just read. Raises `ProgramNotFound` and `NumbersMissing`.
        """
        program = await self.programs.find(program_id)
        if program is None:
            raise ProgramNotFound
        bad = _BadRows(bad_at_most)
        added = known = 0
        async for rows, count in _portions(_rows(lines, program, self.default_region, bad)):
            new = await self._new(program, rows)
            if new:
                await self.opt_outs.record([self._event(program, row, actor or f"program {program.id}") for row in new])
            added, known = added + len(new), known + len(rows) - len(new)
            progress(count)
        return Imported(added=added, known=known, bad=tuple(bad.first), bad_in_all=bad.count)

    async def _new(self, program: Program, rows: Sequence[_Row]) -> Sequence[_Row]:
        """The first row of each number that the program may still text."""
        first = {row.number: row for row in reversed(rows)}
        there = await self.opt_outs.of_program(program.id, list(first))
        return [row for row in rows if first[row.number] is row and row.number not in there]

    def _event(self, program: Program, row: _Row, actor: str) -> ConsentEvent:
        now_us = self.clock.now_us()
        return ConsentEvent(
            number=row.number,
            program_id=program.id,
            consent=Consent.WITHDRAWN,
            method=Method.IMPORT,
            at_us=now_us if row.since_us is None else min(row.since_us, now_us),
            wording=row.wording,
            actor=actor,
            reference=f"line {row.line}",
        )


async def _portions(rows: Iterator[_Row | None]) -> AsyncIterator[tuple[Sequence[_Row], int]]:
    """The good rows, and how many rows there were with the others."""
    portion: list[_Row] = []
    count = 0
    for row in rows:
        count += 1
        if row is not None:
            portion.append(row)
        if count == _AT_ONCE:
            yield portion, count
            portion, count = [], 0
        elif count % _AT_A_STRETCH == 0:
            await asyncio.sleep(0)
    if count:
        yield portion, count


def _rows(lines: Iterable[str], program: Program, default_region: str, bad: _BadRows) -> Iterator[_Row | None]:
    """None for each bad one, which is added to those, and for empty ones. Without a header each line is a number."""
    reader = csv.reader(lines, strict=True)
    columns: Sequence[str] | None = None
    while True:
        try:
            cells = next(reader)[:_MOST_COLUMNS]
        except StopIteration:
            return
        except csv.Error:
            bad.add(reader.line_num, "is no valid CSV")
            yield None
            continue
        if not any(cell.strip() for cell in cells):
            yield None
            continue
        if columns is None:
            columns = _header(cells)
            if columns is not None:
                continue
            columns = [name.casefold() for name in COLUMNS]
        named = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
        try:
            yield _Row(
                line=reader.line_num,
                number=program.read_number(named.get("phonenumber", ""), default_region=default_region),
                since_us=_microseconds(named.get("since", "")),
                wording=_wording(named.get("wording", "")),
            )
        except NumberRefused as refused:
            bad.add(reader.line_num, refused.reason)
            yield None
        except InvalidValue as fault:
            bad.add(reader.line_num, str(fault))
            yield None


def _header(cells: Sequence[str]) -> Sequence[str] | None:
    """The columns' names, in small letters; None where the first line is a row. Raises `NumbersMissing`."""
    names = [cell.strip().casefold().removeprefix("\ufeff") for cell in cells]
    if any(any(each.isdigit() for each in name) for name in names[:1]):
        return None
    if "phonenumber" not in names:
        raise NumbersMissing
    return names


def _microseconds(written: str) -> int | None:
    if not written:
        return None
    try:
        return microseconds_of(written)
    except ValueError:
        raise InvalidValue("has a time that cannot be read") from None


def _wording(written: str) -> str | None:
    if len(written) > _LONGEST_WORDING or "\0" in written:
        raise InvalidValue("has words that cannot be kept")
    return written or None
