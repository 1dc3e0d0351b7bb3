"""Writes the reference pages of the documentation from the code: `make reference`.

Those of command line and states are the code's in whole. Of metrics, problems and settings a table is. Decisions and
runbooks have an index each.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from domain.model.delivery import STILL_TO_COME, WAITING, DeliveryState
from domain.model.reasons import SENTENCES
from entrypoints.cli import main
from upkeep import tables

DOCS = Path(__file__).resolve().parent.parent / "docs"

_MEANINGS = {
    DeliveryState.SCHEDULED: "waits for its time: its `SendAt`, its recipient's texting hours, or another try",
    DeliveryState.QUEUED: "waits for its sender",
    DeliveryState.SENDING: "is claimed by a dispatcher; the call to the provider is about to be made, or under way",
    DeliveryState.UNKNOWN: "may have been sent: receipt or enquiry settles it",
    DeliveryState.SENT: "the provider has it; the last word where no receipt comes",
    DeliveryState.FAILED: "refused for good, or tried often enough: it was not sent",
    DeliveryState.UNDELIVERED: "was sent, and did not arrive",
    DeliveryState.EXPIRED: "its `ExpiresAt` came first, or it did not reach the phone in time",
    DeliveryState.BLOCKED: "the recipient wants no texts, has had too many, or it was a duplicate",
    DeliveryState.CANCELED: "was canceled before it was sent",
    DeliveryState.DELIVERED: "has arrived",
}

_STATES = """# States and reasons

`make reference` writes this page from the code.

## States

A delivery, which is one text to one number, is in one of these states. `Status` of a message is that of its least
advanced delivery, in this order; once all have come to their end, it is the worst of their ends. A state at its end is
never left. [How a text is sent](dispatch.md#states) has them as a picture.

| state | at its end | can be canceled | what it says |
| --- | --- | --- | --- |
{states}

## Reasons

`Reason` of a delivery says why it is in its state, in a word that programs may rely on; `SentResult` says it to people.
New words may come with every version. Which of a provider's codes is which reason, [providers](providers.md) tells.

| reason | what people read |
| --- | --- |
{reasons}
"""

_COMMANDS = """# The command line

`make reference` writes this page from `smshub --help` and the help of all its commands. Settings come from the
[environment](settings.md). `--output json` prints what scripts can rely on.
"""

_DECISIONS = """# Decisions

Why things are as they are: one page for each decision, with what else was thought of. `make reference` writes this
list.

"""

_RUNBOOKS = """# Runbooks

One for each alert of the [rules that come with the chart](../monitoring.md#alerts): what it means, what to look at,
what to do, and when to call somebody. `make reference` writes this list.

"""


def states() -> str:
    """The page as it should be."""
    rows = (
        f"| `{state.value}` | {_yes(state not in STILL_TO_COME and state.terminal)} | {_yes(state in WAITING)} "
        f"| {_MEANINGS[state]} |"
        for state in DeliveryState
    )
    reasons = (f"| `{reason}` | {sentence} |" for reason, sentence in SENTENCES.items())
    return _STATES.format(states="\n".join(rows), reasons="\n".join(reasons))


def command_line() -> str:
    """The page as it should be."""
    return "\n".join([_COMMANDS, *_described(main, click.Context(main, info_name="smshub", **main.context_settings))])


def _described(command: click.Command, context: click.Context) -> Iterator[str]:
    """A command, and all below it."""
    path = context.command_path
    depth = min(path.count(" "), 2)
    if depth:
        yield f"{'#' * (depth + 1)} {path}\n"
    yield f"{_help(command)}\n"
    parameters = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    arguments = [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)]
    if arguments:
        yield f"`{path} {' '.join(arguments)}`\n"
    if parameters:
        yield "| option | what it does |\n| --- | --- |"
        for option in parameters:
            yield _row(option, context)
        yield ""
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from _described(each, click.Context(each, info_name=name, parent=context))


def _help(command: click.Command) -> str:
    paragraphs = (command.help or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _row(option: click.Option, context: click.Context) -> str:
    names, text = option.get_help_record(context) or ("", "")
    return f"| `{_cell(names)}` | {_cell(text)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _yes(is_so: bool) -> str:  # noqa: FBT001
    return "yes" if is_so else ""


def decisions() -> str:
    """The page as it should be."""
    return _DECISIONS + _list(DOCS / "adr")


def runbooks() -> str:
    """The page as it should be."""
    return _RUNBOOKS + _list(DOCS / "operations" / "runbooks")


def _list(folder: Path) -> str:
    pages = (page for page in sorted(folder.glob("*.md")) if page.name != "README.md")
    return "".join(f"- [{_title(page)}]({page.name})\n" for page in pages)


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


PAGES = {
    "cli.md": command_line,
    "states.md": states,
    "adr/README.md": decisions,
    "operations/runbooks/README.md": runbooks,
}
# These take the page as it is, for what people have written in it.
RENEWED = {"metrics.md": tables.metrics, "problems.md": tables.refused, "settings.md": tables.settings}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    for name, renewed in RENEWED.items():
        (DOCS / name).write_text(renewed((DOCS / name).read_text(encoding="utf-8")), encoding="utf-8")
