"""The hub's settings, all from environment variables that begin with SMSHUB_. Nothing else reads the
environment, but OpenTelemetry where traces are on.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from annotated_types import Ge
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from domain.errors import InvalidValue
from domain.model.phone_number import is_region
from domain.model.price import Price
from domain.model.terms import is_mail_address
from entrypoints.weak_keys import weak_keys

PREFIX = "SMSHUB_"

_SHORTEST_KEY = 32
_CONTACT = re.compile(r"[^\s@:/]+@[^\s@:/]+|https://\S+", re.ASCII)
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?", re.ASCII | re.IGNORECASE)


class SettingsFault(Exception):
    """Settings that cannot be used. `faults` are (variable, what is wrong) pairs, without any value."""

    def __init__(self, faults: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {fault}" for name, fault in faults))
        self.faults = tuple(faults)


def _split(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be an http or https address without ? and #")
    return url.rstrip("/")


def _checked_optional_url(url: str) -> str:
    return _checked_url(url) if url else url


def _checked_issuer(issuer: str) -> str:
    if issuer:
        _checked_url(issuer)
        parts = urlsplit(issuer)
        if parts.scheme != "https" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
            raise ValueError("must be an https address")
    return issuer


def _checked_contact(contact: str) -> str:
    if contact and not _CONTACT.fullmatch(contact):
        raise ValueError("must be an e-mail address or an https address")
    return contact


def _checked_mail_url(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value():
        return secret
    try:
        parts = urlsplit(secret.get_secret_value())
        is_server = parts.scheme in {"smtp", "smtps"} and parts.hostname and parts.port != 0
        is_no_more = parts.path in {"", "/"} and not parts.query and not parts.fragment
        if is_server and is_no_more and bool(parts.username) == bool(parts.password):
            return secret
    except ValueError:
        pass  # It would tell a part of the value.
    raise ValueError("must be smtps://user:password@host:port, or smtp; user and password percent-encoded, or neither")


def _checked_mail_address(address: str) -> str:
    if address and not is_mail_address(address):
        raise ValueError("must be an e-mail address")
    return address


def _checked_host(host: str) -> str:
    if not _HOST.fullmatch(host):
        raise ValueError("must be a host's name or address, with a port after a colon where it has one of its own")
    return host


def _checked_region(code: str) -> str:
    if not is_region(code):
        raise ValueError("must be a country's two capital letters, such as US")
    return code


def _checked_price(price: str) -> str:
    if price:
        try:
            Price.parse(price)
        except InvalidValue:
            raise ValueError("must be an amount and a currency, such as 0.0083 USD") from None
    return price


def _checked_networks(written: tuple[str, ...]) -> tuple[str, ...]:
    for each in written:
        try:
            ip_network(each)
        except ValueError:
            raise ValueError("must be networks such as 10.20.0.0/16, with commas between") from None
    return written


def _checked_file(file: str) -> str:
    if file:
        _content(file)
    return file


def _content(file: str) -> bytes:
    """Raises ValueError."""
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None


def _stripped(secret: SecretStr) -> SecretStr:
    """A file ends with an end of line, which no secret does."""
    return SecretStr(secret.get_secret_value().strip())


def _checked_keys(secret: SecretStr) -> SecretStr:
    for key in key_ring(secret).values():
        if len(key) < _SHORTEST_KEY:
            raise ValueError(f"every key must have {_SHORTEST_KEY} bytes or more")
    return secret


def key_ring(secret: SecretStr) -> Mapping[str, bytes]:
    """Keys by their id, from `kid:base64url,…`; raises ValueError."""
    ring: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in secret.get_secret_value().split(","))):
        kid, separator, encoded = entry.partition(":")
        if not separator or not kid or kid in ring:
            raise ValueError("must be written as kid:base64url, with commas between, each kid once")
        try:
            ring[kid] = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise ValueError("must hold keys in base64url") from None
    return ring


_List = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
_Durations = Annotated[tuple[Annotated[timedelta, Ge(timedelta(0))], ...], NoDecode, BeforeValidator(_split)]
_Keys = Annotated[SecretStr, Field(validate_default=True), AfterValidator(_checked_keys)]
_File = Annotated[str, AfterValidator(_checked_file)]


class Settings(BaseSettings):
    """Each field is the variable of its name in capitals, with the prefix. Durations are ISO 8601 (`PT15M`), lists
    have commas between.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    database_url: SecretStr = Field(
        SecretStr("sqlite:///smshub.db"), description="`sqlite:///path` or `postgresql://user:password@host/database`."
    )
    database_pool_size: int = Field(10, ge=2, le=100, description="Connections of one process at the most.")
    database_pooler: bool = Field(
        False,
        description="Whether a pooler such as PgBouncer lends PostgreSQL's connections out for single transactions. "
        "Dispatchers then look for work by themselves ten times a second, instead of being told.",
    )
    signing_keys_file: _File = Field(
        "", description="A file that has `SMSHUB_SIGNING_KEYS` in it instead, such as a mounted secret."
    )
    signing_keys: _Keys = Field(
        SecretStr(""),
        description="What tokens are signed with: `kid:base64url,…`, 32 bytes or more each; the first signs, "
        "all verify. `smshub keys generate` prints one.",
    )
    token_key_files: _List = Field(
        (),
        description="Files with a private key each (PEM; Ed25519, or RSA of 2048 bits or more). The first signs tokens "
        "in place of the signing keys, whose tokens stay good; the public keys are at `/.well-known/jwks.json`.",
    )
    encryption_keys_file: _File = Field(
        "", description="A file that has `SMSHUB_ENCRYPTION_KEYS` in it instead, such as a mounted secret."
    )
    encryption_keys: _Keys = Field(
        SecretStr(""),
        description="What provider credentials are encrypted with in the database, written as the signing keys.",
    )
    key_peppers_file: _File = Field(
        "", description="A file that has `SMSHUB_KEY_PEPPERS` in it instead, such as a mounted secret."
    )
    key_peppers: _Keys = Field(
        SecretStr(""),
        description="Peppers of the stored hashes of program keys, written as the signing keys; the first is used for "
        "new ones. None: plain SHA-256.",
    )
    host: str = Field(
        "127.0.0.1", min_length=1, description="Address that processes listen on, both ports, where `--host` says none."
    )
    public_url: Annotated[str, AfterValidator(_checked_url)] = Field(
        "http://127.0.0.1:8080", description="Where callers reach the hub; its path is the prefix of everything."
    )
    contact: Annotated[str, AfterValidator(_checked_contact)] = Field(
        "",
        description="Whom offices ask for a program, as the welcome page shows it: an e-mail address or an https "
        "address.",
    )
    provider_callbacks: Literal["auto", "true", "false"] = Field(
        "auto",
        description="Whether providers are asked to call the hub at its public URL, with receipts; `auto`: if that is "
        "an https address that can be reached from elsewhere.",
    )
    cors_origins: _List = Field((), description="Origins whose pages may call the hub from a browser.")
    trusted_proxies: _List = Field(
        (), description="Addresses or networks of proxies whose X-Forwarded-For is believed; `*` for all."
    )
    token_lifetime: timedelta = Field(
        timedelta(hours=24), gt=timedelta(0), le=timedelta(days=366), description="How long a token is good for."
    )
    token_issuer: str = Field("sms-hub", min_length=1, description="`iss` of tokens.")
    token_audience: str = Field("sms-hub", min_length=1, description="`aud` of tokens.")
    oidc_issuer: Annotated[str, AfterValidator(_checked_issuer)] = Field(
        "",
        description="The identity provider (OpenID Connect) that persons sign in with at the console, as it calls "
        "itself. None: programs alone sign in there, with their keys.",
    )
    oidc_name: str = Field(
        "single sign-on", min_length=1, max_length=100, description="What people call it: `Sign in with …`."
    )
    oidc_client_id: str = Field("", description="What it calls the hub.")
    oidc_client_secret_file: _File = Field(
        "", description="A file that has `SMSHUB_OIDC_CLIENT_SECRET` in it instead, such as a mounted secret."
    )
    oidc_client_secret: Annotated[SecretStr, AfterValidator(_stripped)] = Field(
        SecretStr(""), validate_default=True, description="What the hub shows it; none for a public client."
    )
    oidc_scopes: _List = Field(("openid", "profile", "email"), description="What the hub asks it for.")
    oidc_groups_claim: str = Field(
        "groups",
        min_length=1,
        description="The claim with somebody's groups, a list or a single one; from the id token, or else from "
        "userinfo.",
    )
    oidc_person_claim: str = Field(
        "",
        description="The claim that names somebody in the record. None: `preferred_username`, `email` or `sub`, the "
        "first that there is.",
    )
    oidc_session_lifetime: timedelta = Field(
        timedelta(hours=8),
        gt=timedelta(0),
        le=timedelta(hours=24),
        description="For how long a person stays signed in.",
    )
    logins_per_minute: int = Field(
        60,
        ge=60,
        le=100_000,
        description="Logins of one program from one address, at all replicas together. Ten times as many that fail are "
        "let through from one address, whatever the programs.",
    )
    default_region: Annotated[str, AfterValidator(_checked_region)] = Field(
        "US", description="Country of numbers without `+` where the sender has none."
    )
    opt_out_scope: Literal["program", "sender", "global"] = Field(
        "program",
        description="Whose texts somebody who texts STOP gets no more: those of the program that texted last, of all "
        "programs that use the sender, or of all programs.",
    )
    segment_price: Annotated[str, AfterValidator(_checked_price)] = Field(
        "",
        description="What a segment costs, such as `0.0083 USD`, for the estimates of a preview, and of the usage "
        "where `smshub prices` knows none of the country. None: no estimate.",
    )
    twilio_api_base_url: Annotated[str, AfterValidator(_checked_optional_url)] = Field(
        "", description="Where Twilio's interface is, if not at Twilio: for tests against a stand-in."
    )
    twilio_smart_encoding: bool = Field(
        False,
        description="Whether Twilio is to replace characters that make a text long, such as curly quotes. The hub "
        "keeps the text, and counts its segments, as it was written.",
    )
    vonage_api_host: Annotated[str, AfterValidator(_checked_host)] = Field(
        "api.nexmo.com",
        description="Where Vonage's Messages API is: this, a region such as `api-us.nexmo.com`, or a stand-in for "
        "tests.",
    )
    vonage_rest_host: Annotated[str, AfterValidator(_checked_host)] = Field(
        "rest.nexmo.com", description="Where Vonage's SMS API is, or a stand-in for tests."
    )
    mail_url: Annotated[SecretStr, AfterValidator(_checked_mail_url)] = Field(
        SecretStr(""),
        description="The mail server for programs that are tried out by e-mail: `smtps://user:password@host`, or "
        "`smtp://` for STARTTLS.",
    )
    mail_from: Annotated[str, AfterValidator(_checked_mail_address)] = Field(
        "", description="The address that these e-mails come from."
    )
    enquiry_delays: _Durations = Field(
        (timedelta(seconds=30), timedelta(minutes=5)),
        min_length=1,
        description="When a provider is asked about a text of unknown outcome, and after how long again. What it does "
        "not know after the last time was not sent, and is sent again.",
    )
    retention: timedelta = Field(
        timedelta(days=90),
        ge=timedelta(days=1),
        description="For how long texts and numbers are kept after a text was accepted and is through, unless its "
        "program says otherwise. Then they are deleted.",
    )
    receipt_retention: timedelta = Field(
        timedelta(days=7),
        ge=timedelta(days=2),
        description="For how long receipts are kept as they came after they were worked off, two days at the least: "
        "as long as they are there, nobody else can make the same call again. What people texted back is kept as long "
        "as texts are.",
    )
    webhook_private_networks: Annotated[_List, AfterValidator(_checked_networks)] = Field(
        (),
        description="Networks that webhooks may call although they are not public, such as `10.20.0.0/16`; by http, "
        "too.",
    )
    webhook_retention: timedelta = Field(
        timedelta(days=7),
        ge=timedelta(days=4),
        description="For how long events for webhooks are kept, and what came of them; four days at the least, as long "
        "as they are tried.",
    )
    most_in_flight: int = Field(
        500, ge=1, le=10_000, description="Calls to providers under way at once, per dispatcher."
    )
    stop_grace: timedelta = Field(
        timedelta(seconds=20), ge=timedelta(0), description="How long calls under way may take after a stop."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    log_format: Literal["json", "console"] = Field("json", description="`console` is for people's eyes.")
    traces: Literal["off", "otlp"] = Field(
        "off",
        description="`otlp` sends spans to an OpenTelemetry collector by HTTP. Where that is, and which share of all "
        "traces it is to have, OpenTelemetry's own variables say, such as `OTEL_EXPORTER_OTLP_ENDPOINT`.",
    )

    @field_validator("signing_keys", "encryption_keys", "key_peppers", "oidc_client_secret", mode="before")
    @classmethod
    def _from_file(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        file = info.data.get(f"{info.field_name}_file")
        if not file:
            return value
        if value.get_secret_value() if isinstance(value, SecretStr) else value:
            raise ValueError("is given, and so is a file for it")
        try:
            return _content(file).decode()
        except UnicodeDecodeError:
            raise ValueError("stands in a file that is no text") from None

    @classmethod
    def from_environment(cls, **overrides: object) -> "Settings":
        """Raises `SettingsFault`, which names the variables and never their values."""
        try:
            return cls(**overrides)  # type: ignore[arg-type]
        except ValidationError as error:
            raise SettingsFault(
                [
                    (f"{PREFIX}{str(each['loc'][0]).upper()}", each["msg"].removeprefix("Value error, "))
                    for each in error.errors(include_input=False, include_url=False)
                ]
            ) from None

    def callback_url(self) -> str | None:
        """Where providers are asked to call; None where they are not."""
        parts = urlsplit(self.public_url)
        host = parts.hostname or ""
        reachable = parts.scheme == "https" and "." in host and not host.startswith("127.")
        return self.public_url if {"auto": reachable, "true": True}.get(self.provider_callbacks) else None

    def signing_ring(self) -> Mapping[str, bytes]:
        """Raises `SettingsFault` where there is no key at all: a hub without keys issues no tokens."""
        ring = key_ring(self.signing_keys)
        if not ring and not self.token_key_files:
            raise SettingsFault([(f"{PREFIX}SIGNING_KEYS", "is missing; `smshub keys generate` prints a key")])
        return ring

    def private_keys(self) -> Sequence[bytes]:
        """As PEM, if that is what the files hold. Raises `SettingsFault`."""
        try:
            return [_content(file) for file in self.token_key_files]
        except ValueError as error:
            raise SettingsFault([(f"{PREFIX}TOKEN_KEY_FILES", str(error))]) from None

    def check_sign_in(self) -> None:
        """Raises `SettingsFault` where persons could not come back from the identity provider."""
        faults = []
        if self.oidc_issuer and not self.oidc_client_id:
            faults.append((f"{PREFIX}OIDC_CLIENT_ID", "is missing: it goes with SMSHUB_OIDC_ISSUER"))
        if self.oidc_issuer and "public_url" not in self.model_fields_set:
            faults.append((f"{PREFIX}PUBLIC_URL", "is missing: who signs in with SMSHUB_OIDC_ISSUER comes back there"))
        if self.oidc_issuer and "openid" not in self.oidc_scopes:
            faults.append((f"{PREFIX}OIDC_SCOPES", "must have openid among them"))
        if self.oidc_client_id and not self.oidc_issuer:
            faults.append((f"{PREFIX}OIDC_ISSUER", "is missing: it goes with SMSHUB_OIDC_CLIENT_ID"))
        if faults:
            raise SettingsFault(faults)

    def refuse_weak_keys(self) -> None:
        """Raises `SettingsFault`. Processes do not start with such keys; commands that replace them work."""
        faults = [
            (f"{PREFIX}{name}", f"key {key_id} {why}: replace it by what `smshub keys generate` prints")
            for name, keys in (("SIGNING_KEYS", self.signing_keys), ("ENCRYPTION_KEYS", self.encryption_keys))
            for key_id, why in weak_keys(key_ring(keys)).items()
        ]
        if faults:
            raise SettingsFault(faults)


def unknown_variables(environment: Mapping[str, str]) -> Sequence[str]:
    """Names that look like settings and are none, in their order."""
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in environment if name.upper().startswith(PREFIX) and name.upper() not in known)
