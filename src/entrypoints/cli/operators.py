import click

from domain.model.access import Scope
from domain.model.program_key import KeyTerms
from domain.model.sender import SenderAddress
from entrypoints.cli.options import output_option
from entrypoints.cli.running import explains_faults, print_json, with_hub

# Programs have a sender, and these text nobody.
_SENDER = SenderAddress("Operators")


@click.group()
def operators() -> None:
    """Those who run the hub, as its interface knows them."""


@operators.command()
@click.option("--name", required=True, help="Who that is, as the audit log is to name them.")
@output_option
@explains_faults
def create(name: str, output: str) -> None:
    """Create an operator and print the credentials, with which operator's tokens are had from /api/Login.

    An operator is a program whose key has the scope `operator`. It sends nothing.
    """
    operator, key = with_hub(
        lambda hub: hub.create_program()(
            name=name,
            provider="sandbox",
            sender=_SENDER,
            key_terms=KeyTerms(name=name[:100], scopes=frozenset({Scope.OPERATOR})),
        )
    )
    if output == "json":
        print_json({"ProgramId": operator.id, "ProgramSID": operator.sid, "ProgramKey": key.value})
        return
    click.echo(f"ProgramId:  {operator.id}\nProgramSID: {operator.sid}\nProgramKey: {key.value}")
    click.echo("Keep the key safe: it cannot be shown again.", err=True)
