"""Commands about the keys of programs."""

import click

from domain.errors import InvalidValue
from domain.model.access import KeyKind
from domain.model.instant import instant, microseconds_of
from domain.model.phone_number import PhoneNumber
from domain.model.program_key import IssuedKey, KeyTerms
from entrypoints.cli.options import output_option, program_option, read_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.http.representations import program_key


@click.command("issue-key")
@program_option
@click.option("--name", default="", help="What people call it, such as where it is used.")
@click.option(
    "--kind",
    type=click.Choice([each.value for each in KeyKind]),
    default=KeyKind.LIVE.value,
    show_default=True,
    help="team: texts the numbers of --number alone; test: the sandbox takes its texts, whatever the sender.",
)
@click.option("--number", "numbers", multiple=True, help="In E.164; one that a team's key may text. May stand often.")
@click.option("--network", "networks", multiple=True, help="Where it may be used from, such as 198.51.100.0/24.")
@click.option("--expires", help="When it ends, such as 2027-06-30T00:00:00Z.")
@output_option
@explains_faults
def issue(
    program_id: str,
    name: str,
    kind: str,
    numbers: tuple[str, ...],
    networks: tuple[str, ...],
    expires: str | None,
    output: str,
) -> None:
    """Issue a further key of a program and print it.

    It is printed this once: the hub keeps its hash alone. A program has two live ones of a kind at the most: give out
    the new one, see with list-keys that nobody uses the old one any more, and revoke that.
    """
    terms = KeyTerms(
        kind=KeyKind(kind),
        name=name,
        numbers=frozenset(map(PhoneNumber, numbers)),
        networks=networks,
        expires_us=read_option("--expires", expires, _microseconds),
    )
    issued, key = with_hub(lambda hub: hub.operate_keys().issue(program_id, terms))
    if output == "json":
        print_json({**program_key(issued), "ProgramKey": key.value})
        return
    click.echo(f"ProgramKey: {key.value}")
    click.echo("Keep the key safe: it cannot be shown again.", err=True)


@click.command("list-keys")
@program_option
@output_option
@explains_faults
def list_(program_id: str, output: str) -> None:
    """List a program's keys: how they begin, what for, and when they were used last."""
    found = with_hub(lambda hub: hub.operate_keys().of(program_id))
    if output == "json":
        print_json([program_key(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))


@click.command("revoke-key")
@program_option
@click.option("--key", "key_id", type=int, required=True, help="Its id, as list-keys tells.")
@explains_faults
def revoke(program_id: str, key_id: int) -> None:
    """Revoke a key. Nobody logs in with it any more, and its tokens end within five seconds."""
    click.echo(_line(with_hub(lambda hub: hub.operate_keys().revoke(program_id, key_id))))


def _line(key: IssuedKey) -> str:
    used = "never used" if key.last_used_us is None else f"used {instant(key.last_used_us)}"
    ends = "" if key.terms.expires_us is None else f", expires {instant(key.terms.expires_us)}"
    revoked = "" if key.revoked_us is None else f", revoked {instant(key.revoked_us)}"
    name = f" {key.terms.name}" if key.terms.name else ""
    return f"{key.id}  {key.terms.kind.value}  {key.hint}{name}  {used}{ends}{revoked}"


def _microseconds(written: str) -> int:
    try:
        return microseconds_of(written)
    except ValueError:
        raise InvalidValue("A time is written as 2027-06-30T00:00:00Z.") from None
