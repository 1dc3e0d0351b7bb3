"""What the hub says of an account's credentials: the real libraries ask, against what stands in for the providers."""

import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.providers.on_demand import CheckerOnDemand
from adapters.providers.sandbox.check import SandboxChecker
from adapters.providers.twilio.check import TwilioChecker
from adapters.providers.vonage.check import VonageChecker
from adapters.providers.vonage.library import Hosts
from domain.errors import InvalidValue
from domain.model.credentials import NO_CREDENTIALS, Credentials
from domain.model.credentials_check import CredentialsCheck, Verdict
from domain.ports.credentials_checker import CredentialsChecker
from entrypoints.stand_ins import twilio, vonage
from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.stand_in import StandIn
from entrypoints.stand_ins.twilio import TwilioStandIn
from entrypoints.stand_ins.vonage import VonageStandIn
from tests.contract.calling import a_stranger, closed_port

TIMEOUT_S = 1.5
BY_TOKEN = {"account_sid": twilio.ACCOUNT_SID, "auth_token": twilio.AUTH_TOKEN}
BY_API_KEY = {"account_sid": twilio.ACCOUNT_SID, "api_key": twilio.API_KEY, "api_secret": twilio.API_SECRET}
BY_KEY = {"api_key": vonage.API_KEY, "api_secret": vonage.API_SECRET}
BY_APPLICATION = {"application_id": vonage.APPLICATION_ID, "private_key": vonage.application_key()[0]}
KINDS: Mapping[str, Mapping[str, str]] = {
    "twilio": BY_TOKEN,
    "twilio-by-key": BY_API_KEY,
    "vonage": BY_KEY,
    "vonage-sms": {**BY_KEY, "api": "sms"},
    "vonage-by-application": BY_APPLICATION,
}
OTHERS: Mapping[str, Mapping[str, str]] = {
    "twilio": {**BY_TOKEN, "auth_token": "another-secret"},
    "twilio-by-key": {**BY_API_KEY, "api_secret": "another-secret"},
    "vonage": {**BY_KEY, "api_secret": "another-secret"},
    "vonage-sms": {**BY_KEY, "api_secret": "another-secret", "api": "sms"},
    "vonage-by-application": {**BY_APPLICATION, "application_id": vonage.APPLICATION_ID.replace("0", "f")},
}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder: Path = tmp_path_factory.mktemp("certificate")
    return Certificate(folder)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def a_stand_in(kind: str, certificate: Certificate) -> StandIn:
    if kind.startswith("twilio"):
        return TwilioStandIn(keep_exchanges=True)
    return VonageStandIn(keep_exchanges=True, tls=certificate.server())


def a_checker(kind: str, url: str, tls: ssl.SSLContext) -> CredentialsChecker:
    def load() -> CredentialsChecker:
        if kind.startswith("twilio"):
            return TwilioChecker(api_base_url=url, timeout_s=TIMEOUT_S, connect_timeout_s=TIMEOUT_S)
        hosts = Hosts(urlsplit(url).netloc, urlsplit(url).netloc)
        return VonageChecker(hosts=hosts, timeout_s=TIMEOUT_S, connect_timeout_s=TIMEOUT_S, tls=tls)

    return CheckerOnDemand(load)


async def checked(
    kind: str,
    certificate: Certificate,
    credentials: Mapping[str, str],
    prepare: Callable[[StandIn], None] = lambda _: None,
) -> tuple[CredentialsCheck, StandIn]:
    stand_in = a_stand_in(kind, certificate)
    prepare(stand_in)
    running: AbstractAsyncContextManager[StandIn] = stand_in.running()
    async with running:
        check = await a_checker(kind, stand_in.url, certificate.client())(Credentials(credentials))
    return check, stand_in


def taken_by(stand_in: StandIn) -> list[str]:
    assert isinstance(stand_in, TwilioStandIn | VonageStandIn)
    return stand_in.sids


async def test_good_credentials_are_good_and_nothing_is_sent(kind: str, certificate: Certificate) -> None:
    check, stand_in = await checked(kind, certificate, KINDS[kind])

    assert check == CredentialsCheck(Verdict.GOOD, "accepted")
    assert taken_by(stand_in) == []
    assert len(stand_in.exchanges) == 1


async def test_others_are_refused(kind: str, certificate: Certificate) -> None:
    check, stand_in = await checked(kind, certificate, OTHERS[kind])

    assert check == CredentialsCheck(Verdict.REFUSED, "credentials-refused")
    assert taken_by(stand_in) == []


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("500", "server-error"),
        ("429", "throttled"),
        ("hang", "no-answer"),
        ("reset-before-answer", "no-connection"),
        ("redirect", "unreadable-answer"),
    ],
)
async def test_a_provider_that_does_not_say_was_not_asked(
    kind: str, certificate: Certificate, behaviour: str, reason: str
) -> None:
    check, stand_in = await checked(kind, certificate, KINDS[kind], lambda each: each.does(behaviour, count=2))

    assert check == CredentialsCheck(Verdict.NOT_ASKED, reason)
    # A question does no harm when its library asks it once more.
    assert 1 <= stand_in.connections_made <= 2


async def test_a_provider_that_cannot_be_reached_was_not_asked(kind: str, certificate: Certificate) -> None:
    scheme = "http" if kind.startswith("twilio") else "https"
    check = await a_checker(kind, f"{scheme}://127.0.0.1:{closed_port()}", certificate.client())(
        Credentials(KINDS[kind])
    )

    assert check == CredentialsCheck(Verdict.NOT_ASKED, "no-connection")


async def test_a_stranger_is_told_nothing(certificate: Certificate) -> None:
    """Who is not Vonage by its certificate."""
    async with a_stranger(tls=certificate.server()) as port:
        checker = a_checker("vonage", f"https://127.0.0.1:{port}", ssl.create_default_context())
        check = await checker(Credentials(BY_KEY))

    assert check == CredentialsCheck(Verdict.NOT_ASKED, "no-secure-connection")


@pytest.mark.parametrize("status", ["suspended", "closed"])
async def test_a_twilio_account_that_is_stopped_is_refused(certificate: Certificate, status: str) -> None:
    def stop(stand_in: StandIn) -> None:
        assert isinstance(stand_in, TwilioStandIn)
        stand_in.account_status = status

    check, _ = await checked("twilio", certificate, BY_TOKEN, stop)

    assert check == CredentialsCheck(Verdict.REFUSED, "account-stopped")


async def test_credentials_of_another_kind_are_not_asked_with(kind: str, certificate: Certificate) -> None:
    with pytest.raises(InvalidValue):
        await checked(kind, certificate, {"password": "another-secret"})


async def test_the_sandbox_is_always_good() -> None:
    assert (await SandboxChecker()(NO_CREDENTIALS)).verdict is Verdict.GOOD


async def test_nothing_secret_is_said_or_logged(
    kind: str, certificate: Certificate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    good, _ = await checked(kind, certificate, KINDS[kind])
    refused, _ = await checked(kind, certificate, OTHERS[kind])

    said = f"{good!r} {good.sentence} {refused!r} {refused.sentence} {caplog.text}"
    secrets = {twilio.AUTH_TOKEN, twilio.API_SECRET, vonage.API_SECRET, BY_APPLICATION["private_key"], "another-secret"}
    assert not [each for each in secrets if each in said]
