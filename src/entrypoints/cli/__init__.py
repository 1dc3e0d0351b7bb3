"""The command `smshub`."""

import click

from entrypoints.cli.accounts import accounts
from entrypoints.cli.audit import audit
from entrypoints.cli.config import config
from entrypoints.cli.demo import demo
from entrypoints.cli.keys import keys
from entrypoints.cli.limits import limits
from entrypoints.cli.messages import messages
from entrypoints.cli.migrate import migrate
from entrypoints.cli.operators import operators
from entrypoints.cli.opt_outs import opt_outs
from entrypoints.cli.pausing import pause, resume
from entrypoints.cli.prices import prices
from entrypoints.cli.processes import api, dispatcher, serve
from entrypoints.cli.programs import programs
from entrypoints.cli.restored import restored
from entrypoints.cli.sandbox import sandbox
from entrypoints.cli.send import send
from entrypoints.cli.senders import senders
from entrypoints.cli.staff import staff
from entrypoints.cli.subjects import subjects
from entrypoints.cli.templates import templates
from entrypoints.cli.usage import usage
from entrypoints.cli.webhooks import webhooks


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="sms-hub", prog_name="smshub")
def main() -> None:
    """The SMS hub that an organisation trusts with every text it sends.

    Settings come from environment variables that begin with SMSHUB_; `smshub config check` explains and checks them.
    """


for command in (
    serve,
    api,
    dispatcher,
    demo,
    sandbox,
    migrate,
    programs,
    senders,
    accounts,
    limits,
    prices,
    usage,
    messages,
    opt_outs,
    webhooks,
    templates,
    pause,
    resume,
    restored,
    operators,
    staff,
    audit,
    subjects,
    keys,
    send,
    config,
):
    main.add_command(command)
