import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO
from uuid import UUID

import click

from domain.errors import HubError, RecipientsRefused
from domain.model.access import Grant, Scope
from domain.model.text_message import TextSummary
from domain.ports.programs import Programs
from domain.use_cases.send_text import SendTextCommand
from entrypoints.cli.running import explains_faults, output_option, print_json, with_hub
from entrypoints.container import Container
from entrypoints.http import representations

_LOOK_EVERY_S = 0.25


@click.command()
@click.option("--program", "program_id", required=True, help="The ProgramId of the program that sends.")
@click.option("--to", help="A number, or several with commas between.")
@click.option("--to-file", type=click.File(), help="A file with numbers, one on each line; - for standard input.")
@click.option("--message", required=True, help="The text.")
@click.option("--wait", is_flag=True, help="Wait until the text has come to its end for every number.")
@output_option
@explains_faults
def send(program_id: str, to: str | None, to_file: TextIO | None, message: str, *, wait: bool, output: str) -> None:
    """Send a text as a program, by way of the same queue and at the same pace as all its texts.

    A dispatcher (`smshub serve` or `smshub dispatcher`) must run somewhere for it to go out.
    """
    if bool(to) == bool(to_file):
        raise click.UsageError("Give either --to or --to-file.")
    recipients = to or ",".join(line.strip() for line in to_file or ())
    command = SendTextCommand(text=message, recipients=recipients)
    try:
        shown = with_hub(lambda hub: _send(hub, program_id, command, wait=wait))
    except RecipientsRefused as refused:
        lines = "\n".join(f"  number {position} {reason}" for position, reason in refused.refusals)
        raise click.ClickException(f"{refused}\n{lines}") from None
    if output == "json":
        print_json(shown)
    else:
        click.echo(f"{shown['SentResult']} (message {shown['Id']})")


async def _send(hub: Container, program_id: str, command: SendTextCommand, *, wait: bool) -> Mapping[str, object]:
    grant = await _grant(hub.programs(), program_id)
    summary = await hub.send_text()(grant, command)
    if not wait:
        return representations.accepted_text(summary)
    return representations.text(await _follow(hub, grant, summary.message.id, summary))


async def _follow(hub: Container, grant: Grant, message_id: UUID, summary: TextSummary) -> TextSummary:
    total, shown = summary.message.recipients, 0
    with click.progressbar(length=total, label="Sending", file=sys.stderr) as bar:
        while True:
            ended = _ended(summary)
            bar.update(ended - shown)
            shown = ended
            if ended == total:
                return summary
            await asyncio.sleep(_LOOK_EVERY_S)
            summary = await hub.find_text()(grant, message_id)


def _ended(summary: TextSummary) -> int:
    return sum(count for state, count in summary.counts.items() if state.terminal)


async def _grant(programs: Programs, program_id: str) -> Grant:
    """What the program itself would be granted: whoever may run this command has the database in hand."""
    program = await programs.find(program_id)
    if program is None:
        raise NoSuchProgram
    now = datetime.now(UTC)
    return Grant(
        program_id=program.id,
        program_sid=program.sid,
        scopes=frozenset({Scope.SEND, Scope.READ}),
        issued_at=now,
        expires_at=now,
        token_id="command-line",  # noqa: S106 - names where the grant comes from
    )


class NoSuchProgram(HubError):
    slug = "no-such-program"

    def __init__(self) -> None:
        super().__init__("There is no program with this id: see `smshub programs list`.")
