import asyncio
import json
import shlex
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import uvloop

from domain.model.pace import Pace
from entrypoints.cli.options import output_option, read_option
from entrypoints.cli.running import explains_faults, print_json
from entrypoints.durations import read_duration

if TYPE_CHECKING:
    from entrypoints.stand_ins.calls import Answer, Call
    from entrypoints.stand_ins.stand_in import StandIn

# The stand-ins, and the libraries that they need, are imported by the commands that start them: no other should wait
# for that.

_SENDER = "+15005550006"
_EVERY_ADDRESS = {"0.0.0.0", "::"}  # noqa: S104 - to listen on them is for the developer to decide
# By itself the hub asks nobody to call an address that a provider could not reach.
_CALLED_BACK = {"SMSHUB_PROVIDER_CALLBACKS": "true"}
# What was read late makes the next text seem early.
_EARLY_PERCENT = 95

_HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
_RECEIPT_DELAY = click.option(
    "--receipt-delay", default="PT0.5S", show_default=True, help="Time from each status of a text to the next."
)
_RATE = click.option("--rate", help="Refuse texts that follow one another faster on one sender: 1 (a second), 40/min.")


def _port(default: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--port", default=default, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on."
    )


def _inbound_url(paths: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option("--inbound-url", help=f"Whom to tell of what people text back: {paths} of the hub.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Invitation:
    """What a hub needs to send through a stand-in; `curl` is how that is spoken to."""

    provider: str
    url: str
    environment: Mapping[str, str]
    credentials: Mapping[str, str]
    curl: str

    @property
    def create(self) -> str:
        create = f"smshub programs create --name Sandbox --sender {_SENDER} --provider {self.provider}"
        return f"echo {shlex.quote(json.dumps(self.credentials))} | {create} --credentials-file -"

    @property
    def text_back(self) -> str:
        fields = f"-d From=%2B19706904544 -d To={_SENDER.replace('+', '%2B')} -d Body=STOP"
        return f"{self.curl} {self.url}/_control/inbound {fields}"

    def show(self, output: str) -> None:
        from entrypoints.stand_ins.fates import RECIPIENTS, SENDERS  # noqa: PLC0415 - see above

        if output == "json":
            print_json(
                {
                    "Url": self.url,
                    "Environment": self.environment,
                    "Credentials": self.credentials,
                    "CreateProgram": self.create,
                    "TextBack": self.text_back,
                    "MagicNumbers": RECIPIENTS,
                    "MagicSenders": SENDERS,
                }
            )
            return
        click.echo(f"""
A stand-in for {self.provider.capitalize()} is ready at {self.url}. Nothing is sent, and nothing here is a secret.

Start the hub with:

{_lines(f"export {name}={shlex.quote(value)}" for name, value in self.environment.items())}

Give it a program that sends through the stand-in:

  {self.create}

Text it something:

  {self.text_back}

Numbers that it does not simply deliver to:

{_lines(f"{number}  {meaning}" for number, meaning in RECIPIENTS.items())}

Senders that it does not simply send from:

{_lines(f"{number}  {meaning}" for number, meaning in SENDERS.items())}

Each call that it makes is shown on standard error. Stop it with Ctrl-C.
""")


@click.group()
def sandbox() -> None:
    """Stand-ins for the providers: the hub speaks to them as to the real ones, and nothing is sent.

    They keep what they are sent until they stop, tell what becomes of it by signed calls, and fail in the ways that
    their magic numbers stand for.
    """


@sandbox.command()
@_HOST
@_port(8181)
@_RECEIPT_DELAY
@_inbound_url("/callbacks/twilio/inbound")
@_RATE
@output_option
@explains_faults
def twilio(host: str, port: int, receipt_delay: str, inbound_url: str | None, rate: str | None, output: str) -> None:
    """Run a stand-in for Twilio."""
    from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN, TwilioStandIn  # noqa: PLC0415 - see above

    stand_in = TwilioStandIn(**_options(receipt_delay, inbound_url, rate))

    def invite() -> None:
        url = f"http://{_address(host, stand_in.port)}"
        _Invitation(
            provider="twilio",
            url=url,
            environment={"SMSHUB_TWILIO_API_BASE_URL": url, **_CALLED_BACK},
            credentials={"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN},
            curl="curl",
        ).show(output)

    _run(stand_in, host, port, invite)


@sandbox.command()
@_HOST
@_port(8182)
@_RECEIPT_DELAY
@_inbound_url("/callbacks/vonage/inbound or, with --api sms, /callbacks/vonage/sms/inbound")
@_RATE
@click.option(
    "--directory",
    default="var/vonage",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where its certificate lies, or is made.",
)
@click.option("--name", multiple=True, help="A further name by which it is reached, such as that of its container.")
@click.option(
    "--api",
    type=click.Choice(["messages", "sms"]),
    default="messages",
    show_default=True,
    help="The account's API, by which inbound texts come; receipts come by that which a text was sent by.",
)
@click.option(
    "--sms-calls",
    type=click.Choice(["post", "json", "get"]),
    default="post",
    show_default=True,
    help="How calls by the SMS API are made.",
)
@click.option(
    "--signature-method",
    type=click.Choice(["md5hash", "md5", "sha1", "sha256", "sha512"]),
    default="md5hash",
    show_default=True,
    help="How calls by the SMS API are signed.",
)
@output_option
@explains_faults
def vonage(
    host: str,
    port: int,
    receipt_delay: str,
    inbound_url: str | None,
    rate: str | None,
    directory: Path,
    name: tuple[str, ...],
    api: str,
    sms_calls: str,
    signature_method: str,
    output: str,
) -> None:
    """Run a stand-in for Vonage, with both of its APIs.

    The hub speaks to Vonage over TLS alone, and has to be told that it may believe the stand-in's certificate.
    """
    from entrypoints.stand_ins.certificates import Certificate  # noqa: PLC0415 - see above
    from entrypoints.stand_ins.vonage import (  # noqa: PLC0415 - see above
        API_KEY,
        API_SECRET,
        SIGNATURE_SECRET,
        VonageStandIn,
    )
    from entrypoints.stand_ins.vonage_calls import Signing, SmsForm  # noqa: PLC0415 - see above

    certificate = Certificate(directory, *({host} - _EVERY_ADDRESS), *name)
    stand_in = VonageStandIn(
        **_options(receipt_delay, inbound_url, rate),
        tls=certificate.server(),
        applications={},
        signing=Signing(api_key=API_KEY, secret=SIGNATURE_SECRET, method=signature_method),
        sms_form=SmsForm(sms_calls),
        by_sms=api == "sms",
    )

    def invite() -> None:
        address, trusted = _address(host, stand_in.port), str(certificate.file.absolute())
        _Invitation(
            provider="vonage",
            url=f"https://{address}",
            environment={
                "SMSHUB_VONAGE_API_HOST": address,
                "SMSHUB_VONAGE_REST_HOST": address,
                "SSL_CERT_FILE": trusted,
                **_CALLED_BACK,
            },
            credentials={
                "api_key": API_KEY,
                "api_secret": API_SECRET,
                "signature_secret": SIGNATURE_SECRET,
                **({"api": api} if api == "sms" else {}),
                **({"signature_method": signature_method} if signature_method != "md5hash" else {}),
            },
            curl=f"curl --cacert {shlex.quote(trusted)}",
        ).show(output)

    _run(stand_in, host, port, invite)


def _options(receipt_delay: str, inbound_url: str | None, rate: str | None) -> dict[str, Any]:
    pace = read_option("--rate", rate, Pace.parse)
    delay: timedelta = read_option("--receipt-delay", receipt_delay, read_duration)
    return {
        "receipt_delay_s": delay.total_seconds(),
        "inbound_url": inbound_url,
        "interval_us": None if pace is None else pace.interval_us() * _EARLY_PERCENT // 100,
        "heard": _hear,
    }


def _hear(call: "Call", answer: "Answer") -> None:
    click.echo(f"{call.what}: {answer.status or 'nobody answered'}", err=True)


def _run(stand_in: "StandIn", host: str, port: int, invite: Callable[[], None]) -> None:
    """Until SIGTERM or SIGINT."""

    async def run() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with stand_in.running(host=host, port=port):
            invite()
            await stopped.wait()

    try:
        uvloop.run(run())
    except OSError as error:
        # The address once more stands before it.
        reason = (error.strerror or "").rpartition(": ")[2]
        raise click.ClickException(f"The stand-in cannot listen on {host}, port {port}: {reason}.") from None


def _address(host: str, port: int) -> str:
    """By which a hub on this machine, or one that was told the host, reaches it."""
    shown = "127.0.0.1" if host in _EVERY_ADDRESS else host
    return f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
