"""How the domain's values look as CSV, which is opened in spreadsheets."""

import csv
import io
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from typing import TypeVar

from domain.model.consent import OptOut
from domain.model.instant import instant
from domain.model.reasons import sentence_of
from domain.ports.text_log import LoggedText

T = TypeVar("T")
Columns = Mapping[str, Callable[[T], str | None]]

_BEGIN_FORMULAS = frozenset("=+-@\t\r")
_PIECE = 65_536  # Characters.

OPT_OUTS: Columns[OptOut] = {
    "PhoneNumber": lambda each: each.number.e164,
    "Since": lambda each: instant(each.since_us),
    "Wording": lambda each: each.wording,
    "Scope": lambda each: each.scope.value,
    "Method": lambda each: None if each.method is None else each.method.value,
    "Actor": lambda each: each.actor,
    "Reference": lambda each: each.reference,
}

TEXTS: Columns[LoggedText] = {
    "Id": lambda each: str(each.text.message.id),
    "DateSent": lambda each: instant(each.text.message.created_us),
    "PhoneNumber": lambda each: each.to.delivery.number.e164,
    "Message": lambda each: each.text.message.body.text,
    "Sender": lambda each: each.to.sender.value,
    "Status": lambda each: each.to.delivery.state.value,
    "Reason": lambda each: each.to.delivery.reason,
    "Explanation": lambda each: sentence_of(each.to.delivery.reason or ""),
    "UpdatedAt": lambda each: instant(each.to.delivery.updated_us),
    "Segments": lambda each: str(each.to.delivery.segments),
    "Attempts": lambda each: str(each.to.delivery.attempt),
    "ProviderReference": lambda each: each.to.delivery.provider_reference,
    "Template": lambda each: each.text.message.template,
    "TemplateVersion": lambda each: _optional_number(each.text.message.template_version),
    "SentBy": lambda each: each.text.message.sent_by,
}


async def written(columns: Columns[T], values: AsyncIterable[T]) -> AsyncIterator[str]:
    """A line for each value under a line of the columns' names, in pieces of some thousand characters."""
    piece = io.StringIO(newline="")
    writer = csv.writer(piece)
    writer.writerow(columns)
    async for value in values:
        writer.writerow([_cell(column(value)) for column in columns.values()])
        if piece.tell() >= _PIECE:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()


def _optional_number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _cell(value: str | None) -> str:
    """Whoever opens the list must not run what people wrote: what looks like a formula begins with an apostrophe."""
    text = value or ""
    is_number = text[:1] == "+" and text[1:].isdigit()
    return f"'{text}" if text[:1] in _BEGIN_FORMULAS and text and not is_number else text
