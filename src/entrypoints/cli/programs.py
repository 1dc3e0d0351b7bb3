from typing import TextIO

import click

from domain.model.credentials import Credentials
from domain.model.instant import instant
from domain.model.pace import Pace
from domain.model.program import Program
from domain.model.program_key import ProgramKey
from domain.model.sender import SenderAddress
from domain.model.terms import USUAL_TERMS
from domain.use_cases.create_program import FirstHubIdentity
from domain.use_cases.operate_senders import SenderName
from entrypoints.cli import program_keys
from entrypoints.cli.options import account_option, output_option, provider_option, read_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.cli.terms import changed, terms_options, warn_of_mail
from entrypoints.settings import Settings
from entrypoints.terms import told, written

credentials_option = click.option(
    "--credentials-file",
    "credentials",
    type=click.File(),
    help='A file with the provider account\'s credentials as JSON, - for standard input: {"account_sid", "auth_token"} '
    'or {"account_sid", "api_key", "api_secret"} for twilio, {"api_key", "api_secret"} or {"application_id", '
    '"private_key"} for vonage. A sender that the hub has needs none.',
)


@click.group()
def programs() -> None:
    """The offices that send."""


@programs.command()
@click.option("--name", required=True, help="What people call the program.")
@click.option("--sender", required=True, help="What its texts come from, such as +19705550100.")
@click.option("--provider", required=True, help="Who sends for it; `sandbox` sends nothing and delivers to everyone.")
@click.option("--rate", help="Segments per second (1, 0.5) or per longer time (40/min). A new sender has 1.")
@credentials_option
@terms_options
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
    credentials: TextIO | None,
    program_id: str | None,
    program_sid: str | None,
    program_key_file: TextIO | None,
    output: str,
    **terms: str | None,
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
    address = read_option("--sender", sender, SenderAddress)
    pace = read_option("--rate", rate, Pace.parse)
    read_credentials = _credentials(credentials)
    agreed = changed(terms)(USUAL_TERMS)
    program, key = with_hub(
        lambda hub: hub.create_program()(
            name=name,
            provider=provider,
            sender=address,
            pace=pace,
            credentials=read_credentials,
            terms=agreed,
            first_hub=first_hub,
        )
    )
    warn_of_mail(program.terms, mail_from=Settings.from_environment().mail_from)
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


@programs.command("import")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@credentials_option
@click.option("--dry-run", is_flag=True, help="Say what would come of it, and change nothing.")
@output_option
@explains_faults
def import_(file: TextIO, credentials: TextIO | None, dry_run: bool, output: str) -> None:  # noqa: FBT001
    """Take over the first hub's programs from a CSV file (- is standard input).

    Its columns are ProgramId, ProgramSID, ProgramKey, Name, Sender, Provider and, where it is not 1, Rate: segments per
    second. Their clients go on working with what they have hard-coded. What is good is taken, what is bad is told by
    its line; the file may be imported again. Ends with status 1 if any line was bad.
    """
    lines = list(file)
    given = _credentials(credentials)
    imported = with_hub(lambda hub: hub.import_programs()(lines, credentials=given, dry_run=dry_run))
    if output == "json":
        bad = [{"Line": each.line, "Detail": f"Line {each.line} {each.reason}."} for each in imported.bad]
        print_json({"Added": imported.added, "Known": imported.known, "BadLines": bad, "DryRun": dry_run})
    else:
        would = "would be " if dry_run else ""
        click.echo(f"{imported.added} {would}added, {imported.known} known already, {len(imported.bad)} bad.")
        for each in imported.bad:
            click.echo(f"Line {each.line} {each.reason}.", err=True)
    if imported.bad:
        raise SystemExit(1)


@programs.command("add-sender")
@click.option("--program", "program_id", required=True, help="The ProgramId of the program that may send from it.")
@click.option("--sender", required=True, help="What texts come from that name it, such as +19705550101.")
@click.option("--provider", required=True, help="Who sends for it.")
@click.option("--rate", help="Segments per second (1, 0.5) or per longer time (40/min). A new sender has 1.")
@credentials_option
@output_option
@explains_faults
def add_sender(
    program_id: str, sender: str, provider: str, rate: str | None, credentials: TextIO | None, output: str
) -> None:
    """Let a program send from a further number or name.

    Its requests name it as `Sender`; those that name none go on coming from the program's first.
    """
    address = read_option("--sender", sender, SenderAddress)
    pace = read_option("--rate", rate, Pace.parse)
    given = _credentials(credentials)
    program = with_hub(
        lambda hub: hub.add_sender()(program_id, provider=provider, sender=address, pace=pace, credentials=given)
    )
    _tell_senders(program, output)


@programs.command("remove-sender")
@click.option("--program", "program_id", required=True, help="The ProgramId of the program.")
@click.option("--sender", required=True, help="The number or name, such as +19705550101.")
@provider_option
@account_option
@output_option
@explains_faults
def remove_sender(program_id: str, sender: str, provider: str | None, account: str | None, output: str) -> None:
    """Let a program send from one of its further numbers or names no longer. Its first stays.

    What it has posted for it goes out still, and the sender stays, whoever else uses it.
    """
    name = SenderName(address=sender, provider=provider, account=account)
    _tell_senders(with_hub(lambda hub: hub.remove_sender()(program_id, name)), output)


@programs.command("set")
@click.option("--program", "program_id", required=True, help="The ProgramId.")
@click.option("--name", help="What people call the program.")
@terms_options
@output_option
@explains_faults
def set_terms(program_id: str, name: str | None, output: str, **terms: str | None) -> None:
    """Change a program's name, or how its texts are dealt with. What is not given stays as it is."""
    program = with_hub(lambda hub: hub.change_program()(program_id, changed(terms), name=name))
    warn_of_mail(program.terms, mail_from=Settings.from_environment().mail_from)
    if output == "json":
        print_json(_shown(program))
    else:
        click.echo(told(program.terms))


@programs.command()
@click.option("--program", "program_id", required=True, help="The ProgramId.")
@explains_faults
def pause(program_id: str) -> None:
    """Send nothing of a program. What it posts is accepted and waits; what is on its way this second goes out."""
    with_hub(lambda hub: hub.pause().program(program_id, paused=True))
    click.echo("The program is paused.")


@programs.command()
@click.option("--program", "program_id", required=True, help="The ProgramId.")
@explains_faults
def resume(program_id: str) -> None:
    """Go on sending what a program has posted."""
    with_hub(lambda hub: hub.pause().program(program_id, paused=False))
    click.echo("The program sends again.")


@programs.command()
@click.option("--program", "program_id", required=True, help="The ProgramId.")
@explains_faults
def suspend(program_id: str) -> None:
    """Shut a program out: it cannot log in, its tokens end within five seconds, and nothing of it is sent."""
    with_hub(lambda hub: hub.pause().suspend(program_id, suspended=True))
    click.echo("The program is suspended.")


@programs.command()
@click.option("--program", "program_id", required=True, help="The ProgramId.")
@explains_faults
def reinstate(program_id: str) -> None:
    """Let a program in again that was suspended, and go on sending what it had posted."""
    with_hub(lambda hub: hub.pause().suspend(program_id, suspended=False))
    click.echo("The program is let in again.")


@programs.command()
@click.option("--program", "program_id", required=True, help="The ProgramId.")
@output_option
@explains_faults
def delete(program_id: str, output: str) -> None:
    """Shut a program out for good, and cancel what waits of it.

    There is no way back. Its keys are revoked, its tokens end within five seconds, its webhooks are gone. Its record
    is kept for as long as its texts are, and is removed then; its ProgramId and ProgramSID are free again after that.
    Its senders stay.
    """
    deleted = with_hub(lambda hub: hub.delete_program()(program_id))
    if output == "json":
        print_json({"ProgramId": deleted.id, "DeletedAt": instant(deleted.deleted_us), "Canceled": deleted.canceled})
    else:
        click.echo(f"The program is deleted. It had {deleted.canceled} deliveries waiting, which are canceled.")


@programs.command("list")
@click.option("--deleted", is_flag=True, help="Those that are deleted, and whose record is kept still.")
@output_option
@explains_faults
def list_programs(deleted: bool, output: str) -> None:  # noqa: FBT001
    """List the programs by name."""
    found = with_hub(lambda hub: hub.list_programs()(deleted=deleted))
    if output == "json":
        print_json([_shown(each) for each in found])
        return
    for each in found:
        senders = ", ".join(f"{one.address.value} at {one.pace} ({one.provider})" for one in each.senders)
        since = "" if each.deleted_us is None else f"  deleted {instant(each.deleted_us)}"
        click.echo(f"{each.id}  {each.name}  {senders}{since}")
    if not found and not deleted:
        click.echo("There are no programs yet: smshub programs create --help", err=True)


def _tell_senders(program: Program, output: str) -> None:
    if output == "json":
        print_json(_shown(program))
        return
    for each in program.senders:
        click.echo(f"{each.address.value} at {each.pace} ({each.provider})")


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
        "Paused": program.paused,
        "Suspended": program.suspended,
        **({} if program.deleted_us is None else {"DeletedAt": instant(program.deleted_us)}),
        **written(program.terms),
    }


def _credentials(file: TextIO | None) -> Credentials | None:
    return None if file is None else read_option("--credentials-file", file.read(), Credentials.parse)


for command in (program_keys.issue, program_keys.list_, program_keys.revoke):
    programs.add_command(command)
