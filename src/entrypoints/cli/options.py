"""Options that several commands have, and how they are read."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

import click

from domain.errors import InvalidValue

T = TypeVar("T")


class _Value(click.ParamType[tuple[str, str]]):
    """What goes into a template's placeholder."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401
        name, separator, text = value.partition("=")
        if not separator:
            self.fail("must be the placeholder's name and its value, such as Name=Ada", param, ctx)
        return name, text


program_option = click.option("--program", "program_id", required=True, help="The ProgramId.")
output_option = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)
value_option = click.option(
    "--value", "values", type=_Value(), multiple=True, help="What goes into a placeholder, such as Name=Ada."
)
provider_option = click.option("--provider", help="The sender's provider, where several have one of the address.")
account_option = click.option("--account", help="The provider's account, where several have one of the address.")


@overload
def read_option(option: str, text: str, reader: Callable[[str], T]) -> T: ...
@overload
def read_option(option: str, text: None, reader: Callable[[str], T]) -> None: ...
@overload
def read_option(option: str, text: str | None, reader: Callable[[str], T]) -> T | None: ...
def read_option(option: str, text: str | None, reader: Callable[[str], T]) -> T | None:
    """None stays None; what cannot be read is explained beside the option's name."""
    if text is None:
        return None
    try:
        return reader(text)
    except InvalidValue as error:
        raise click.BadParameter(str(error), param_hint=option) from None
