import click

from domain.model.audit import AuditEvent
from domain.model.instant import instant
from entrypoints.cli.options import output_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.container import Container
from entrypoints.http.representations import audit_event


@click.command()
@click.option("--program", "program_id", help="The ProgramId, for what was changed of this program alone.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="How many at the most.")
@output_option
@explains_faults
def audit(program_id: str | None, limit: int, output: str) -> None:
    """Show what operators have changed, the newest first: when, who, from where, and what was and is."""

    async def run(hub: Container) -> list[AuditEvent]:
        page = await hub.audit_log().page(program_id=program_id, before=None, limit=limit)
        return list(page.items)

    found = with_hub(run)
    if output == "json":
        print_json([audit_event(each) for each in found])
        return
    for each in found:
        changes = ", ".join(f"{name}: {was!r} → {is_!r}" for name, (was, is_) in each.changes.items())
        origin = "" if each.actor.address is None else f" at {each.actor.address}"
        whose = "" if each.program_id is None else f" of program {each.program_id}"
        subject = each.subject if each.subject.startswith("program ") else f"{each.subject}{whose}"
        click.echo(f"{instant(each.at_us)}  {each.actor.name} ({each.actor.via}{origin})  {each.action}  {subject}")
        if changes:
            click.echo(f"    {changes}")
