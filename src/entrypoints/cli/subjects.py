from collections.abc import AsyncIterator

import click

from domain.model.instant import instant
from domain.model.subject import Erasure, SubjectRecord
from entrypoints.cli.options import output_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.container import Container
from entrypoints.http.representations import erasure, subject_record

_AT_ONCE = 1_000


@click.group()
def subjects() -> None:
    """What the hub has of whoever has a phone number, for those who ask for it or want it erased."""


@subjects.command()
@click.argument("number")
@output_option
@explains_faults
def search(number: str, output: str) -> None:
    """Print everything that the hub has of a number, over all programs."""

    async def run(hub: Container) -> list[SubjectRecord]:
        return [each async for each in _records(hub, number)]

    found = with_hub(run)
    if output == "json":
        print_json([subject_record(each) for each in found])
        return
    for each in found:
        whose = "" if each.program_id is None else f" of program {each.program_id}"
        details = ", ".join(f"{name}: {value!r}" for name, value in each.details.items() if value is not None)
        click.echo(f"{instant(each.at_us)}  {each.kind.value} {each.id}{whose}")
        if details:
            click.echo(f"    {details}")


@subjects.command()
@click.argument("number")
@click.option("--opt-outs", "with_opt_outs", is_flag=True, help="Forget its opt-outs, too: it may be texted again.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output_option
@explains_faults
def erase(number: str, *, with_opt_outs: bool, yes: bool, output: str) -> None:
    """Erase a number and what was written to it and by it, in all programs; what waits is cancelled.

    What a provider has is erased once it is through, by the dispatchers. Opt-outs stay, with their proof, and hold.
    """
    if not yes:
        click.confirm("What is erased cannot be brought back. Erase it?", abort=True)

    async def run(hub: Container) -> Erasure:
        return await hub.erase_subject()(number, keep_opt_outs=not with_opt_outs)

    done = with_hub(run)
    if output == "json":
        print_json(erasure(done))
        return
    click.echo(", ".join(f"{what}: {count}" for what, count in done.erased.items()) or "There was nothing.")
    if done.remaining:
        click.echo(f"{done.remaining} on their way: the dispatchers erase them when they are through.")


async def _records(hub: Container, number: str) -> AsyncIterator[SubjectRecord]:
    end: tuple[int, int] | None = (0, 0)
    while end is not None:
        _, page = await hub.search_subject()(number, after=end, limit=_AT_ONCE)
        for each in page.items:
            yield each
        end = page.end
