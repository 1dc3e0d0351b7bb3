import click

from domain.errors import TemplateNotFound, UnknownTemplate
from domain.model.template import Filling, TemplateName, TemplateVersion
from domain.use_cases.preview_text import Preview, PreviewTextCommand
from entrypoints.cli.options import output_option, program_option, value_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.cli.send import grant_of
from entrypoints.container import Container
from entrypoints.http import representations

_NAME = click.argument("name")
_version_option = click.option("--version", type=click.IntRange(1), help="Which version; the newest if left out.")


@click.group()
def templates() -> None:
    """Texts with placeholders, of which programs make many that differ in a few words."""


@templates.command("list")
@program_option
@output_option
@explains_faults
def list_templates(program_id: str, output: str) -> None:
    """List a program's templates, each in its newest version."""

    async def run(hub: Container) -> list[TemplateVersion]:
        return list(await hub.keep_templates().all(await grant_of(hub.programs(), program_id)))

    found = with_hub(run)
    if output == "json":
        print_json([representations.template(each) for each in found])
        return
    for each in found:
        click.echo(f"{each.name}  version {each.number}  {', '.join(each.text.placeholders)}".rstrip())
    if not found:
        click.echo("There are no templates.", err=True)


@templates.command()
@_NAME
@program_option
@_version_option
@output_option
@explains_faults
def show(name: str, program_id: str, version: int | None, output: str) -> None:
    """Print a template's text."""

    async def run(hub: Container) -> TemplateVersion:
        return await hub.keep_templates().find(await grant_of(hub.programs(), program_id), name, version)

    found = with_hub(run)
    if output == "json":
        print_json(representations.template(found))
    else:
        click.echo(found.text.text)


@templates.command("set")
@_NAME
@program_option
@click.option("--message", required=True, help="The text, with {{Name}} for each placeholder.")
@output_option
@explains_faults
def set_template(name: str, program_id: str, message: str, output: str) -> None:
    """Make a template, or the next version of one."""

    async def run(hub: Container) -> TemplateVersion:
        grant, keep = await grant_of(hub.programs(), program_id), hub.keep_templates()
        try:
            return await keep.change(grant, name, message)
        except TemplateNotFound:
            return await keep.create(grant, name, message)

    newest = with_hub(run)
    if output == "json":
        print_json(representations.template(newest))
    else:
        click.echo(f"{newest.name} is at version {newest.number}.")


@templates.command()
@_NAME
@program_option
@_version_option
@value_option
@click.option("--to", help="Whom it would go to: a number, or several with commas between.")
@output_option
@explains_faults
def preview(
    name: str, program_id: str, version: int | None, values: tuple[tuple[str, str], ...], to: str | None, output: str
) -> None:
    """Print what a text from a template would be, and send nothing."""
    filling = Filling(template=TemplateName(name), version=version, values=dict(values))

    async def run(hub: Container) -> Preview:
        grant = await grant_of(hub.programs(), program_id)
        return await hub.preview_text()(grant, PreviewTextCommand(text=filling, recipients=to))

    try:
        shown = with_hub(run)
    except UnknownTemplate:
        raise TemplateNotFound from None
    if output == "json":
        print_json(representations.preview(shown))
        return
    click.echo(shown.body.text)
    click.echo(f"{shown.body.segments} segments in {shown.body.encoding.value}", err=True)
    for each in shown.body.obstacles:
        click.echo(f"U+{ord(each.character):04X} ({each.character}) forces it into UCS-2.", err=True)


@templates.command()
@_NAME
@program_option
@explains_faults
def retire(name: str, program_id: str) -> None:
    """Have a template sent no more. Texts that were made from it stay as they are."""

    async def run(hub: Container) -> TemplateVersion:
        return await hub.keep_templates().retire(await grant_of(hub.programs(), program_id), name)

    click.echo(f"{with_hub(run).name} is sent no more.")
