from collections.abc import Callable
from typing import TextIO, TypeVar

import click

from domain.errors import InvalidValue
from domain.model.pace import Pace
from domain.model.program import Program, ProgramKey
from domain.model.sender import SenderAddress
from domain.use_cases.create_program import FirstHubIdentity
from entrypoints.cli.running import explains_faults, output_option, print_json, with_hub

T = TypeVar("T")


@click.group()
def programs() -> None:
    """The offices that send."""


@programs.command()
@click.option("--name", required=True, help="What people call the program.")
@click.option("--sender", required=True, help="What its texts come from, such as +19705550100.")
@click.option("--provider", required=True, help="Who sends for it; `sandbox` sends nothing and delivers to everyone.")
@click.option("--rate", help="Segments per second (1, 0.5) or per longer time (40/min). A new sender has 1.")
@click.option("--program-id", help="Of a program of the first hub, with the two below: it keeps its identity.")
@click.option("--program-sid", help="Its ProgramSID.")
@click.option("--program-key-file", type=click.File(), help="A file with its ProgramKey, - for standard input.")
@output_option
@explains_faults
def create(
    name: str,
    sender: str,
    provider: str,
    rate: str | None,
    program_id: str | None,
    program_sid: str | None,
    program_key_file: TextIO | None,
    output: str,
) -> None:
    """Create a program and print its credentials.

    The key is printed this once: the hub keeps its hash alone. A sender that the hub knows already is shared, and
    with it its pace.
    """
    given = [program_id, program_sid, program_key_file]
    if any(given) and not all(given):
        raise click.UsageError("--program-id, --program-sid and --program-key-file go together.")
    first_hub = None
    if program_id and program_sid and program_key_file:
        key = ProgramKey(program_key_file.read().strip())
        first_hub = FirstHubIdentity(program_id=program_id, program_sid=program_sid, key=key)
    address = _read("--sender", sender, SenderAddress)
    pace = None if rate is None else _read("--rate", rate, Pace.parse)
    program, key = with_hub(
        lambda hub: hub.create_program()(name=name, provider=provider, sender=address, pace=pace, first_hub=first_hub)
    )
    if output == "json":
        print_json(
            {
                "ProgramId": program.id,
                "ProgramSID": program.sid,
                "ProgramKey": key.value,
                "SenderId": program.sender.id,
            }
        )
        return
    click.echo(f"ProgramId:  {program.id}\nProgramSID: {program.sid}\nProgramKey: {key.value}")
    click.echo(f"Sender:     {program.sender.address.value} at {program.sender.pace} ({program.sender.provider})")
    click.echo("Keep the key safe: it cannot be shown again.", err=True)


@programs.command("add-sender")
@click.option("--program", "program_id", required=True, help="The ProgramId of the program that may send from it.")
@click.option("--sender", required=True, help="What texts come from that name it, such as +19705550101.")
@click.option("--provider", required=True, help="Who sends for it.")
@click.option("--rate", help="Segments per second (1, 0.5) or per longer time (40/min). A new sender has 1.")
@output_option
@explains_faults
def add_sender(program_id: str, sender: str, provider: str, rate: str | None, output: str) -> None:
    """Let a program send from a further number or name.

    Its requests name it as `Sender`; those that name none go on coming from the program's first.
    """
    address = _read("--sender", sender, SenderAddress)
    pace = None if rate is None else _read("--rate", rate, Pace.parse)
    program = with_hub(lambda hub: hub.add_sender()(program_id, provider=provider, sender=address, pace=pace))
    if output == "json":
        print_json(_shown(program))
    else:
        for each in program.senders:
            click.echo(f"{each.address.value} at {each.pace} ({each.provider})")


@programs.command("list")
@output_option
@explains_faults
def list_programs(output: str) -> None:
    """List the programs by name."""
    found = with_hub(lambda hub: hub.list_programs()())
    if output == "json":
        print_json([_shown(each) for each in found])
        return
    for each in found:
        senders = ", ".join(f"{one.address.value} at {one.pace} ({one.provider})" for one in each.senders)
        click.echo(f"{each.id}  {each.name}  {senders}")
    if not found:
        click.echo("There are no programs yet: smshub programs create --help", err=True)


def _shown(program: Program) -> dict[str, object]:
    return {
        "ProgramId": program.id,
        "ProgramSID": program.sid,
        "Name": program.name,
        "SenderId": program.sender.id,
        "Sender": program.sender.address.value,
        "Provider": program.sender.provider,
        "Rate": str(program.sender.pace),
        "Senders": [
            {
                "SenderId": each.id,
                "Sender": each.address.value,
                "Provider": each.provider,
                "Rate": str(each.pace),
            }
            for each in program.senders
        ],
        "FirstHub": program.first_hub,
    }


def _read(option: str, text: str, reader: Callable[[str], T]) -> T:
    try:
        return reader(text)
    except InvalidValue as error:
        raise click.BadParameter(str(error), param_hint=option) from None
