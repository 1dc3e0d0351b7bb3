import sys
from typing import TextIO

import click

from domain.model.consent import ConsentEvent
from domain.model.instant import instant
from domain.model.phone_number import PhoneNumber
from domain.use_cases.import_opt_outs import Imported
from entrypoints.cli.options import output_option, program_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.container import Container
from entrypoints.http import representations, spreadsheets

_AT_ONCE = 1_000


@click.group("opt-outs")
def opt_outs() -> None:
    """Who is not to be texted."""


@opt_outs.command("import")
@program_option
@click.option("--actor", default="operator", show_default=True, help="Who says so, for the record.")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@output_option
@explains_faults
def import_(program_id: str, actor: str, file: TextIO, output: str) -> None:
    """Add the opt-outs of a CSV file (- is standard input) to a program's.

    Its columns are PhoneNumber and, where they are known, Since and Wording; without a header each line is a number.
    What is good is taken, and what is bad is told by its line; the file may be imported again. Ends with status 1 if
    any line was bad.
    """
    lines = list(file)

    async def run(hub: Container) -> Imported:
        with click.progressbar(length=len(lines), label="Importing", file=sys.stderr) as bar:
            return await hub.import_opt_outs()(program_id, lines, actor=actor, progress=bar.update)

    imported = with_hub(run)
    if output == "json":
        print_json(representations.imported(imported))
    else:
        click.echo(f"{imported.added} added, {imported.known} known already, {len(imported.bad)} bad.")
        for each in imported.bad:
            click.echo(f"Line {each.line} {each.reason}.", err=True)
    if imported.bad:
        raise SystemExit(1)


@opt_outs.command()
@program_option
@explains_faults
def export(program_id: str) -> None:
    """Print who is not to be texted by a program as CSV, with the proof; `import` takes it again."""

    async def run(hub: Container) -> None:
        async for piece in spreadsheets.written(spreadsheets.OPT_OUTS, hub.export_opt_outs()(program_id)):
            sys.stdout.write(piece)

    with_hub(run)


@opt_outs.command()
@click.option("--number", required=True, help="In E.164, such as +19706904544.")
@output_option
@explains_faults
def events(number: str, output: str) -> None:
    """Print all that was ever said about texting a number, for whoever asks for proof."""
    said = with_hub(lambda hub: _said(hub, PhoneNumber(number)))
    if output == "json":
        print_json([_event(each) for each in said])
        return
    for each in said:
        whose = each.program_id or each.sender_id or "all"
        words = "" if each.wording is None else f", {each.wording!r}"
        click.echo(
            f"{instant(each.at_us)}  {each.consent.value} by {each.method.value} ({each.actor}{words}) "
            f"from {each.scope.value} {whose}"
        )


async def _said(hub: Container, number: PhoneNumber) -> list[ConsentEvent]:
    events: list[ConsentEvent] = []
    after = None
    while True:
        page = await hub.opt_outs().events(number, after=after, limit=_AT_ONCE)
        events += page.items
        if page.end is None:
            return events
        after = page.end


def _event(event: ConsentEvent) -> dict[str, object]:
    return {**representations.consent_event(event), "ProgramId": event.program_id, "SenderId": event.sender_id}
