import click

from domain.model.staff import Role, StaffRole
from entrypoints.cli.options import output_option
from entrypoints.cli.running import explains_faults, print_json, with_hub
from entrypoints.http.staff_handlers import shown

_GROUP = click.option("--group", required=True, help="As the identity provider has it.")


@click.group()
def staff() -> None:
    """What persons who sign in at the console may do, by their groups at the identity provider."""


@staff.command()
@_GROUP
@click.option("--role", type=click.Choice([each.value for each in Role]), required=True)
@click.option("--program", help="The ProgramId; operators have none.")
@explains_faults
def grant(group: str, role: str, program: str | None) -> None:
    """Give a group a role, in place of the one that it has in the program.

    A reader sees a program's texts and replies, a sender sends as well; an operator runs the hub, and sees all
    programs.
    """
    granted = StaffRole(group=group, role=Role(role), program_id=program)
    click.echo(_line(with_hub(lambda hub: hub.operate_staff_roles().put(granted))))


@staff.command()
@_GROUP
@click.option("--program", help="The ProgramId; none to take away that of an operator.")
@explains_faults
def revoke(group: str, program: str | None) -> None:
    """Take a role from a group. It ends within five seconds, for those who are signed in, too."""
    with_hub(lambda hub: hub.operate_staff_roles().remove_of(group, program))
    click.echo("The role is gone.")


@staff.command("list")
@output_option
@explains_faults
def list_roles(output: str) -> None:
    """List the roles by group."""
    found = with_hub(lambda hub: hub.operate_staff_roles().all())
    if output == "json":
        print_json([shown(each) for each in found])
        return
    for each in found:
        click.echo(_line(each))
    if not found:
        click.echo("No group has a role yet: smshub staff grant --help", err=True)


def _line(role: StaffRole) -> str:
    return f"{role.group}  {role.role.value}  {role.program_id or 'all programs'}"
