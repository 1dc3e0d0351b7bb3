"""Lists of opt-outs, as CSV: the column PhoneNumber, and Since and Wording where they are known."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from domain.errors import InvalidValue, NumberRefused, ProgramNotFound
from domain.model.consent import Consent, ConsentEvent, Method
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.program import Program
from domain.ports.clock import Clock
from domain.ports.opt_outs import OptOuts
from domain.ports.programs import Programs

COLUMNS = ("PhoneNumber", "Since", "Wording")

_AT_ONCE = 1_000
_LONGEST_WORDING = 1_600


@dataclass(frozen=True, slots=True)
class BadRow:
    """`line` counts from 1, the header included; `reason` completes the sentence "It …"."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """`known` are those that had opted out already."""

    added: int = 0
    known: int = 0
    bad: Sequence[BadRow] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    number: PhoneNumber
    since_us: int | None
    wording: str | None


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
        self, program_id: str, lines: Iterable[str], *, actor: str, progress: Callable[[int], None] = lambda _: None
    ) -> Imported:
        """`progress` is told how many rows were just read. Raises `ProgramNotFound`, and `InvalidValue` where the list
        has no column with numbers.
        """
        program = await self.programs.find(program_id)
        if program is None:
            raise ProgramNotFound
        bad: list[BadRow] = []
        added = known = 0
        for rows, count in _portions(_rows(lines, program, self.default_region, bad)):
            new = await self._new(program, rows)
            await self.opt_outs.record([self._event(program, row, actor) for row in new])
            added, known = added + len(new), known + len(rows) - len(new)
            progress(count)
        return Imported(added=added, known=known, bad=tuple(bad))

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


def _portions(rows: Iterator[_Row | None]) -> Iterator[tuple[Sequence[_Row], int]]:
    """The good rows, and how many rows there were with the bad ones."""
    portion: list[_Row] = []
    count = 0
    for row in rows:
        count += 1
        if row is not None:
            portion.append(row)
        if count == _AT_ONCE:
            yield portion, count
            portion, count = [], 0
    if count:
        yield portion, count


def _rows(lines: Iterable[str], program: Program, default_region: str, bad: list[BadRow]) -> Iterator[_Row | None]:
    """None for each bad one, which is added to those. Without a header each line is a number."""
    reader = csv.reader(lines, strict=True)
    columns: Sequence[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            bad.append(BadRow(reader.line_num, "is no valid CSV"))
            yield None
            continue
        if columns is None:
            columns = _header(cells)
            if columns is not None:
                continue
            columns = [name.casefold() for name in COLUMNS]
        if not any(cell.strip() for cell in cells):
            continue
        named = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
        try:
            yield _Row(
                line=reader.line_num,
                number=program.read_number(named.get("phonenumber", ""), default_region=default_region),
                since_us=_microseconds(named.get("since", "")),
                wording=_wording(named.get("wording", "")),
            )
        except NumberRefused as refused:
            bad.append(BadRow(reader.line_num, refused.reason))
            yield None
        except InvalidValue as fault:
            bad.append(BadRow(reader.line_num, str(fault)))
            yield None


def _header(cells: Sequence[str]) -> Sequence[str] | None:
    """The columns' names, in small letters; None where the first line is a row. Raises `InvalidValue`."""
    names = [cell.strip().casefold().removeprefix("\ufeff") for cell in cells]
    if any(any(each.isdigit() for each in name) for name in names[:1]):
        return None
    if "phonenumber" not in names:
        raise InvalidValue("The list has no column PhoneNumber.")
    return names


def _microseconds(written: str) -> int | None:
    if not written:
        return None
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise InvalidValue("has a time that cannot be read") from None
    zoned = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return int(zoned.timestamp()) * SECOND_US + zoned.microsecond


def _wording(written: str) -> str | None:
    if len(written) > _LONGEST_WORDING or "\0" in written:
        raise InvalidValue("has words that cannot be kept")
    return written or None
