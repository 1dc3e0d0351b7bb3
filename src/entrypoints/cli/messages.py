import csv
import sys
from collections.abc import AsyncIterator, Callable

import click

from domain.errors import ProgramNotFound
from domain.model.instant import instant
from domain.model.reasons import sentence_of
from domain.model.text_message import TextSummary
from domain.ports.text_log import LoggedDelivery, TextFilter
from entrypoints.cli.options import program_option
from entrypoints.cli.running import explains_faults, with_hub
from entrypoints.cli.send import MOMENT
from entrypoints.cli.spreadsheet import cell
from entrypoints.container import Container

_MESSAGES_AT_ONCE = 100
_DELIVERIES_AT_ONCE = 1_000

_COLUMNS: dict[str, Callable[[TextSummary, LoggedDelivery], str]] = {
    "Id": lambda text, _: str(text.message.id),
    "DateSent": lambda text, _: instant(text.message.created_us),
    "PhoneNumber": lambda _, to: to.delivery.number.e164,
    "Message": lambda text, _: text.message.body.text,
    "Sender": lambda _, to: to.sender.value,
    "Status": lambda _, to: to.delivery.state.value,
    "Reason": lambda _, to: to.delivery.reason or "",
    "Explanation": lambda _, to: sentence_of(to.delivery.reason or "") or "",
    "UpdatedAt": lambda _, to: instant(to.delivery.updated_us),
    "Segments": lambda _, to: str(to.delivery.segments),
    "Attempts": lambda _, to: str(to.delivery.attempt),
    "ProviderReference": lambda _, to: to.delivery.provider_reference or "",
}


@click.group()
def messages() -> None:
    """What programs sent."""


@messages.command()
@program_option
@click.option("--from", "from_us", type=MOMENT, help="Messages of this time or later, such as 2026-11-01T00:00:00Z.")
@click.option("--before", "before_us", type=MOMENT, help="Messages of before this time.")
@explains_faults
def export(program_id: str, from_us: int | None, before_us: int | None) -> None:
    """Print a program's log as CSV, newest first: a line for each number, with what became of the text and why."""

    async def run(hub: Container) -> None:
        if await hub.programs().find(program_id) is None:
            raise ProgramNotFound
        writer = csv.writer(sys.stdout)
        writer.writerow(_COLUMNS)
        async for text, to in _log(hub, program_id, TextFilter(from_us=from_us, before_us=before_us)):
            writer.writerow([cell(column(text, to)) for column in _COLUMNS.values()])

    with_hub(run)


async def _log(
    hub: Container, program_id: str, wanted: TextFilter
) -> AsyncIterator[tuple[TextSummary, LoggedDelivery]]:
    texts, end = hub.texts(), None
    while True:
        page = await texts.page(program_id, wanted=wanted, before=end, limit=_MESSAGES_AT_ONCE)
        for text in page.items:
            after = 0
            while True:
                some = await texts.deliveries(program_id, text.message.id, after=after, limit=_DELIVERIES_AT_ONCE)
                for to in () if some is None else some.items:
                    yield text, to
                if some is None or some.end is None:
                    break
                after = some.end
        if page.end is None:
            return
        end = page.end
