import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

import click

from domain.errors import ProgramNotFound, RecipientsRefused
from domain.model.access import Grant, Scope
from domain.model.priority import Priority
from domain.model.template import Filling, TemplateName
from domain.model.text_message import TextSummary
from domain.ports.programs import Programs
from domain.use_cases.send_text import SendTextCommand
from entrypoints.cli.options import output_option, value_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.container import Container
from entrypoints.http import representations
from entrypoints.http.times import microseconds

_LOOK_EVERY_S = 0.25


class _Moment(click.ParamType[int]):
    """RFC 3339, as microseconds since the Unix epoch."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            self.fail("must be a time with its zone, such as 2026-12-24T09:00:00Z", param, ctx)
        return microseconds(at.isoformat())


MOMENT = _Moment()


@click.command()
@click.option("--program", "program_id", required=True, help="The ProgramId of the program that sends.")
@click.option("--to", help="A number, or several with commas between.")
@click.option("--to-file", type=click.File(), help="A file with numbers, one on each line; - for standard input.")
@click.option("--message", help="The text.")
@click.option("--template", help="The name of a template to make the text from, in place of --message.")
@click.option("--template-version", type=click.IntRange(1), help="Which of its versions; the newest if left out.")
@value_option
@click.option("--sender", help="Which of the program's senders it comes from; its own if left out.")
@click.option("--priority", type=click.Choice([each.name.lower() for each in Priority]), default="normal")
@click.option("--send-at", type=MOMENT, help="When to send it, such as 2026-12-24T09:00:00Z; at once if left out.")
@click.option("--expires-at", type=MOMENT, help="From when on it is not worth sending any more.")
@click.option("--key", help="An idempotency key: with the same one it is sent once, however often you repeat this.")
@click.option("--wait", is_flag=True, help="Wait until the text has come to its end for every number.")
@output_option
@explains_faults
def send(
    program_id: str,
    to: str | None,
    to_file: TextIO | None,
    message: str | None,
    template: str | None,
    template_version: int | None,
    values: tuple[tuple[str, str], ...],
    sender: str | None,
    priority: str,
    send_at: int | None,
    expires_at: int | None,
    key: str | None,
    *,
    wait: bool,
    output: str,
) -> None:
    """Send a text as a program, by way of the same queue and at the same pace as all its texts.

    A dispatcher (`smshub serve` or `smshub dispatcher`) must run somewhere for it to go out.
    """
    if bool(to) == bool(to_file):
        raise click.UsageError("Give either --to or --to-file.")
    recipients = to or ",".join(line.strip() for line in to_file or ())
    if (message is None) == (template is None):
        raise click.UsageError("Give either --message or --template.")
    if template is None and (template_version or values):
        raise click.UsageError("--template-version and --value go with --template.")
    text: str | Filling = message or ""
    if template is not None:
        text = Filling(template=TemplateName(template), version=template_version, values=dict(values))
    command = SendTextCommand(
        text=text,
        recipients=recipients,
        sender=sender,
        priority=Priority[priority.upper()],
        send_at_us=send_at,
        expires_us=expires_at,
    )
    try:
        shown = with_hub(lambda hub: _send(hub, program_id, command, key=key, wait=wait))
    except RecipientsRefused as refused:
        lines = "\n".join(f"  number {position} {reason}" for position, reason in refused.refusals)
        raise click.ClickException(f"{refused}\n{lines}") from None
    if output == "json":
        print_json(shown)
    else:
        click.echo(f"{shown['SentResult']} (message {shown['Id']})")


async def _send(
    hub: Container, program_id: str, command: SendTextCommand, *, key: str | None, wait: bool
) -> Mapping[str, object]:
    grant = await grant_of(hub.programs(), program_id)
    accepted = await hub.send_text()(grant, command, key=key)
    if not wait:
        return representations.accepted_text(accepted)
    return representations.text(await _follow(hub, grant, accepted.summary))


async def _follow(hub: Container, grant: Grant, summary: TextSummary) -> TextSummary:
    total, shown = summary.message.recipients, 0
    with click.progressbar(length=total, label="Sending", file=sys.stderr) as bar:
        while True:
            ended = _ended(summary)
            bar.update(ended - shown)
            shown = ended
            if ended == total:
                return summary
            await asyncio.sleep(_LOOK_EVERY_S)
            summary = await hub.find_text()(grant, summary.message.id)


def _ended(summary: TextSummary) -> int:
    return sum(count for state, count in summary.counts.items() if state.terminal)


async def grant_of(programs: Programs, program_id: str) -> Grant:
    """What the program itself would be granted: whoever may run this command has the database in hand."""
    program = await programs.find(program_id)
    if program is None:
        raise ProgramNotFound
    now = datetime.now(UTC)
    return Grant(
        program_id=program.id,
        program_sid=program.sid,
        scopes=frozenset({Scope.SEND, Scope.READ}),
        issued_at=now,
        expires_at=now,
        token_id="command-line",  # noqa: S106 - names where the grant comes from
    )
