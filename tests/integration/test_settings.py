"""Settings as the environment gives them."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from entrypoints.cli import main
from entrypoints.settings import Settings, SettingsFault, key_ring, unknown_variables

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"

# 32 bytes each in base64url, the second with the letters that base64 writes otherwise.
KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"
OTHER_KEY = "-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8"
STRONG_KEY = "Jqg3_saZJ29OLNWWhl_3iT1PMo1sXTb13gEguW-nToI"
SHORT_KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2"

# One that is there, whatever the settings.
FILE = Path(__file__).with_name("a_ring")

DATABASE_URL = "postgresql://hub:open-sesame@db.example/hub"

# A value other than the default for every variable, and what it is read as.
READ_AS: dict[str, tuple[str, Any]] = {
    "DATABASE_URL": (DATABASE_URL, DATABASE_URL),
    "DATABASE_POOL_SIZE": ("20", 20),
    "DATABASE_POOLER": ("true", True),
    "SIGNING_KEYS_FILE": (str(FILE), str(FILE)),
    "SIGNING_KEYS": (f"new:{KEY},old:{OTHER_KEY}", f"new:{KEY},old:{OTHER_KEY}"),
    "TOKEN_KEY_FILES": ("/keys/new.pem, /keys/old.pem", ("/keys/new.pem", "/keys/old.pem")),
    "ENCRYPTION_KEYS_FILE": (str(FILE), str(FILE)),
    "ENCRYPTION_KEYS": (f"e:{KEY}", f"e:{KEY}"),
    "KEY_PEPPERS_FILE": (str(FILE), str(FILE)),
    "KEY_PEPPERS": (f"p:{OTHER_KEY}", f"p:{OTHER_KEY}"),
    "HOST": ("0.0.0.0", "0.0.0.0"),
    "PUBLIC_URL": ("https://sms.example/cwis463/", "https://sms.example/cwis463"),
    "CONTACT": ("texts@example.edu", "texts@example.edu"),
    "PROVIDER_CALLBACKS": ("true", "true"),
    "CORS_ORIGINS": ("https://a.example, https://b.example,", ("https://a.example", "https://b.example")),
    "TRUSTED_PROXIES": ("10.0.0.1,10.1.0.0/16", ("10.0.0.1", "10.1.0.0/16")),
    "TOKEN_LIFETIME": ("P182D", timedelta(days=182)),
    "TOKEN_ISSUER": ("hub", "hub"),
    "TOKEN_AUDIENCE": ("programs", "programs"),
    "OIDC_ISSUER": ("https://idp.example/realms/campus/", "https://idp.example/realms/campus/"),
    "OIDC_NAME": ("Campus login", "Campus login"),
    "OIDC_CLIENT_ID": ("sms-hub", "sms-hub"),
    "OIDC_CLIENT_SECRET_FILE": (str(FILE), str(FILE)),
    "OIDC_CLIENT_SECRET": ("open-sesame", "open-sesame"),
    "OIDC_SCOPES": ("openid, groups", ("openid", "groups")),
    "OIDC_GROUPS_CLAIM": ("roles", "roles"),
    "OIDC_PERSON_CLAIM": ("upn", "upn"),
    "OIDC_SESSION_LIFETIME": ("PT1H", timedelta(hours=1)),
    "LOGINS_PER_MINUTE": ("600", 600),
    "DEFAULT_REGION": ("DE", "DE"),
    "OPT_OUT_SCOPE": ("sender", "sender"),
    "SEGMENT_PRICE": ("0.0083 USD", "0.0083 USD"),
    "MAIL_URL": ("smtps://hub:open%3Asesame@mail.example", "smtps://hub:open%3Asesame@mail.example"),
    "MAIL_FROM": ("texts@example.edu", "texts@example.edu"),
    "ENQUIRY_DELAYS": ("PT10S, PT2M,PT1H30M", (timedelta(seconds=10), timedelta(minutes=2), timedelta(minutes=90))),
    "TWILIO_API_BASE_URL": ("http://127.0.0.1:4010/", "http://127.0.0.1:4010"),
    "TWILIO_SMART_ENCODING": ("true", True),
    "VONAGE_API_HOST": ("api-us.nexmo.com", "api-us.nexmo.com"),
    "VONAGE_REST_HOST": ("127.0.0.1:4011", "127.0.0.1:4011"),
    "RETENTION": ("P30D", timedelta(days=30)),
    "RECEIPT_RETENTION": ("P3D", timedelta(days=3)),
    "WEBHOOK_PRIVATE_NETWORKS": ("10.20.0.0/16, ::1/128", ("10.20.0.0/16", "::1/128")),
    "WEBHOOK_RETENTION": ("P14D", timedelta(days=14)),
    "MOST_IN_FLIGHT": ("50", 50),
    "STOP_GRACE": ("PT1M", timedelta(minutes=1)),
    "LOG_LEVEL": ("debug", "debug"),
    "LOG_FORMAT": ("console", "console"),
    "TRACES": ("otlp", "otlp"),
}


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("SMSHUB_"):
            monkeypatch.delenv(name)


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    return monkeypatch


def plain(value: object) -> object:
    """Secrets as they are."""
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def faults() -> dict[str, str]:
    with pytest.raises(SettingsFault) as raised:
        Settings.from_environment()
    return dict(raised.value.faults)


def test_it_runs_with_no_variable_at_all() -> None:
    settings = Settings.from_environment()
    assert plain(settings.database_url) == "sqlite:///smshub.db"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.token_lifetime == timedelta(hours=24)
    assert settings.logins_per_minute == 60
    assert settings.default_region == "US"
    assert settings.cors_origins == settings.trusted_proxies == ()
    assert (settings.log_level, settings.log_format) == ("info", "json")


def test_the_examples_below_are_complete() -> None:
    assert set(READ_AS) == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("variable", READ_AS)
def test_every_variable_is_read(setting: pytest.MonkeyPatch, variable: str) -> None:
    written, read = READ_AS[variable]
    setting.setenv(f"SMSHUB_{variable}", written)
    settings = Settings.from_environment()
    assert plain(getattr(settings, variable.lower())) == read
    assert plain(Settings.model_fields[variable.lower()].default) != read
    assert not unknown_variables(os.environ)


@pytest.mark.parametrize(
    ("variable", "written"),
    [
        ("DATABASE_POOL_SIZE", "many"),
        ("DATABASE_POOL_SIZE", "1"),
        ("PUBLIC_URL", "sms.example"),
        ("PUBLIC_URL", "ftp://sms.example"),
        ("PUBLIC_URL", "https://sms.example/?a=b"),
        *(("CONTACT", contact) for contact in ("the dean", "a@b@c", "http://a.example", "https://", "javascript:a@b")),
        ("TOKEN_LIFETIME", "a day"),
        ("TOKEN_LIFETIME", "PT0S"),
        ("TOKEN_LIFETIME", "-PT1H"),
        ("TOKEN_LIFETIME", "P367D"),
        ("TOKEN_ISSUER", ""),
        ("LOGINS_PER_MINUTE", "59"),
        ("SEGMENT_PRICE", "0.0083"),
        ("SEGMENT_PRICE", "8 cents"),
        ("DEFAULT_REGION", "us"),
        ("DEFAULT_REGION", "USA"),
        ("ENQUIRY_DELAYS", ""),
        ("ENQUIRY_DELAYS", "PT10S,soon"),
        ("ENQUIRY_DELAYS", "-PT10S"),
        *(
            ("VONAGE_API_HOST", host)
            for host in ("", "https://a.example", "a.example/", "a.example:port", "u@a.example")
        ),
        ("VONAGE_REST_HOST", "a b"),
        *(
            ("MAIL_URL", url)
            for url in (
                "mail.example",
                "https://mail.example",
                "smtp://",
                "smtp://mail.example:port",
                "smtp://mail.example:0",
                "smtp://mail.example:70000",
                "smtp://mail.example/inbox",
                "smtp://mail.example?starttls=no",
                "smtp://hub@mail.example",
                "smtp://:sesame@mail.example",
                "smtp://[mail.example",
            )
        ),
        *(
            ("MAIL_FROM", address)
            for address in ("texts", "City Hall <a@b.example>", "a@b.example\r\nBcc: c@d.example")
        ),
        ("OIDC_ISSUER", "http://idp.example"),
        ("OIDC_ISSUER", "idp.example"),
        ("OIDC_ISSUER", "https://idp.example/?tenant=1"),
        ("OIDC_NAME", ""),
        ("OIDC_GROUPS_CLAIM", ""),
        ("OIDC_SESSION_LIFETIME", "PT0S"),
        ("OIDC_SESSION_LIFETIME", "PT25H"),
        ("PROVIDER_CALLBACKS", "maybe"),
        ("RECEIPT_RETENTION", "P1D"),
        ("WEBHOOK_PRIVATE_NETWORKS", "10.20.0.1/16"),
        ("WEBHOOK_PRIVATE_NETWORKS", "localhost"),
        ("WEBHOOK_RETENTION", "P3D"),
        ("MOST_IN_FLIGHT", "0"),
        ("STOP_GRACE", "-PT1S"),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("TRACES", "true"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_the_variables_name(
    setting: pytest.MonkeyPatch, variable: str, written: str
) -> None:
    setting.setenv(f"SMSHUB_{variable}", written)
    assert set(faults()) == {f"SMSHUB_{variable}"}


def test_all_faults_are_told_at_once(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("SMSHUB_LOG_LEVEL", "loud")
    setting.setenv("SMSHUB_PUBLIC_URL", "sms.example")
    assert set(faults()) == {"SMSHUB_LOG_LEVEL", "SMSHUB_PUBLIC_URL"}


@pytest.mark.parametrize(
    ("public_url", "asked", "expected"),
    [
        ("https://sms.example/cwis463", "auto", True),
        ("https://198.51.100.7", "auto", True),
        ("http://sms.example", "auto", False),
        ("http://127.0.0.1:8080", "auto", False),
        ("https://127.0.0.1:8443", "auto", False),
        ("https://localhost", "auto", False),
        ("https://hub", "auto", False),
        ("https://[::1]:8443", "auto", False),
        ("http://127.0.0.1:8080", "true", True),
        ("https://sms.example", "false", False),
    ],
)
def test_providers_are_asked_to_call_where_they_can(public_url: str, asked: str, *, expected: bool) -> None:
    settings = Settings.from_environment(public_url=public_url, provider_callbacks=asked)
    assert settings.callback_url() == (public_url if expected else None)


def test_the_first_signing_key_signs_and_all_verify(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("SMSHUB_SIGNING_KEYS", f"new:{KEY}, old:{OTHER_KEY}=,")
    ring = Settings.from_environment().signing_ring()
    assert list(ring) == ["new", "old"]
    assert ring["new"] == b"k" * 32
    assert len(ring["old"]) == 32


def test_a_hub_without_signing_keys_has_settings_and_no_ring() -> None:
    settings = Settings.from_environment()
    with pytest.raises(SettingsFault, match="SMSHUB_SIGNING_KEYS: is missing"):
        settings.signing_ring()


@pytest.mark.parametrize("variable", ["SIGNING_KEYS", "ENCRYPTION_KEYS", "KEY_PEPPERS"])
@pytest.mark.parametrize(
    ("written", "told"),
    [
        (KEY, "kid:base64url"),
        (f":{KEY}", "kid:base64url"),
        (f"a:{KEY},a:{OTHER_KEY}", "each kid once"),
        ("a:no base64, is it?", "base64url"),
        ("a:notbase64!atall", "base64url"),
        ("a:ümlaut", "base64url"),
        (f"a:{SHORT_KEY}", "32 bytes or more"),
        (f"a:{KEY},b:", "32 bytes or more"),
    ],
)
def test_keys_that_cannot_be_used_are_refused_and_not_repeated(
    setting: pytest.MonkeyPatch, variable: str, written: str, told: str
) -> None:
    setting.setenv(f"SMSHUB_{variable}", written)
    found = faults()
    assert set(found) == {f"SMSHUB_{variable}"}
    assert told in found[f"SMSHUB_{variable}"]
    assert written not in str(found)


@pytest.mark.parametrize("variable", ["SIGNING_KEYS", "ENCRYPTION_KEYS", "KEY_PEPPERS"])
class TestFiles:
    def test_a_ring_may_stand_in_a_file(self, setting: pytest.MonkeyPatch, variable: str, tmp_path: Path) -> None:
        (tmp_path / "ring").write_text(f" new:{KEY},\nold:{OTHER_KEY}\n")
        setting.setenv(f"SMSHUB_{variable}_FILE", str(tmp_path / "ring"))

        ring = key_ring(getattr(Settings.from_environment(), variable.lower()))

        assert list(ring.items()) == [("new", b"k" * 32), ("old", bytes([0xFB, 0xFF, 0xBF] * 11)[:32])]

    @pytest.mark.parametrize(
        ("content", "told"),
        [(KEY.encode(), "kid:base64url"), (f"a:{SHORT_KEY}".encode(), "32 bytes or more"), (b"\xff\xfe", "no text")],
    )
    def test_one_that_cannot_be_used_is_refused_by_its_name(
        self, setting: pytest.MonkeyPatch, variable: str, tmp_path: Path, content: bytes, told: str
    ) -> None:
        (tmp_path / "ring").write_bytes(content)
        setting.setenv(f"SMSHUB_{variable}_FILE", str(tmp_path / "ring"))

        found = faults()

        assert set(found) == {f"SMSHUB_{variable}"}
        assert told in found[f"SMSHUB_{variable}"]
        assert KEY not in str(found)

    def test_a_file_that_is_not_there_is_told(self, setting: pytest.MonkeyPatch, variable: str, tmp_path: Path) -> None:
        for file in (tmp_path / "none", tmp_path):
            setting.setenv(f"SMSHUB_{variable}_FILE", str(file))
            found = faults()
            assert set(found) == {f"SMSHUB_{variable}_FILE"}
            assert found[f"SMSHUB_{variable}_FILE"].startswith("cannot be read: ")

    def test_a_ring_is_given_once(self, setting: pytest.MonkeyPatch, variable: str, tmp_path: Path) -> None:
        (tmp_path / "ring").write_text(f"a:{KEY}")
        setting.setenv(f"SMSHUB_{variable}_FILE", str(tmp_path / "ring"))
        setting.setenv(f"SMSHUB_{variable}", f"a:{KEY}")

        assert faults() == {f"SMSHUB_{variable}": "is given, and so is a file for it"}


def test_the_secret_at_the_identity_provider_may_stand_in_a_file(setting: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("open-sesame\n")
    setting.setenv("SMSHUB_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    assert plain(Settings.from_environment().oidc_client_secret) == "open-sesame"

    setting.setenv("SMSHUB_OIDC_CLIENT_SECRET", "open-sesame")
    assert faults() == {"SMSHUB_OIDC_CLIENT_SECRET": "is given, and so is a file for it"}


@pytest.mark.parametrize(
    ("given", "faulty"),
    [
        ({"OIDC_ISSUER": "https://idp.example"}, {"OIDC_CLIENT_ID", "PUBLIC_URL"}),
        ({"OIDC_CLIENT_ID": "sms-hub"}, {"OIDC_ISSUER"}),
        (
            {
                "OIDC_ISSUER": "https://idp.example",
                "OIDC_CLIENT_ID": "sms-hub",
                "PUBLIC_URL": "https://hub.example",
                "OIDC_SCOPES": "email",
            },
            {"OIDC_SCOPES"},
        ),
    ],
)
def test_persons_cannot_sign_in_by_halves(setting: pytest.MonkeyPatch, given: dict[str, str], faulty: set[str]) -> None:
    for name, value in given.items():
        setting.setenv(f"SMSHUB_{name}", value)
    setting.setenv("SMSHUB_SIGNING_KEYS", f"a:{STRONG_KEY}")
    with pytest.raises(SettingsFault) as raised:
        Settings.from_environment().check_sign_in()
    assert {name for name, _ in raised.value.faults} == {f"SMSHUB_{name}" for name in faulty}

    checked = CliRunner().invoke(main, ["config", "check"])
    assert checked.exit_code == 1
    assert all(f"SMSHUB_{name}: " in checked.stderr for name in faulty)


def test_a_hub_with_private_keys_needs_no_signing_keys(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("SMSHUB_TOKEN_KEY_FILES", str(FILE))
    settings = Settings.from_environment()

    assert settings.signing_ring() == {}
    assert settings.private_keys() == [FILE.read_bytes()]


def test_a_private_key_that_is_not_there_is_told(setting: pytest.MonkeyPatch, tmp_path: Path) -> None:
    setting.setenv("SMSHUB_TOKEN_KEY_FILES", f"{FILE},{tmp_path / 'none'}")
    with pytest.raises(SettingsFault, match="SMSHUB_TOKEN_KEY_FILES: cannot be read"):
        Settings.from_environment().private_keys()


@pytest.mark.parametrize("variable", ["SIGNING_KEYS", "ENCRYPTION_KEYS"])
def test_processes_refuse_keys_that_are_no_secret_by_their_ids(setting: pytest.MonkeyPatch, variable: str) -> None:
    setting.setenv(f"SMSHUB_{variable}", f"good:{STRONG_KEY},weak:{KEY}")
    with pytest.raises(SettingsFault) as raised:
        Settings.from_environment().refuse_weak_keys()

    ((name, told),) = raised.value.faults
    assert name == f"SMSHUB_{variable}"
    assert told.startswith("key weak has a few bytes again and again")
    assert KEY not in told


def test_what_is_drawn_by_lot_is_not_refused(setting: pytest.MonkeyPatch) -> None:
    setting.setenv("SMSHUB_SIGNING_KEYS", f"a:{STRONG_KEY}")
    setting.setenv("SMSHUB_ENCRYPTION_KEYS", f"b:{STRONG_KEY}")

    Settings.from_environment().refuse_weak_keys()


def test_secrets_do_not_show(setting: pytest.MonkeyPatch) -> None:
    secrets = {"DATABASE_URL": DATABASE_URL, "SIGNING_KEYS": f"a:{KEY}", "ENCRYPTION_KEYS": f"b:{OTHER_KEY}"}
    secrets["MAIL_URL"] = "smtps://hub:hunter2@mail.example"
    for variable, value in secrets.items():
        setting.setenv(f"SMSHUB_{variable}", value)
    settings = Settings.from_environment()
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    for hidden in (KEY, OTHER_KEY, "open-sesame", "hunter2"):
        assert hidden not in shown


def test_errors_repeat_no_value(setting: pytest.MonkeyPatch) -> None:
    for variable in READ_AS:
        setting.setenv(f"SMSHUB_{variable}", "xyzzy-secret" if variable != "STOP_GRACE" else "-PT77S")
    with pytest.raises(SettingsFault) as raised:
        Settings.from_environment()
    told = f"{raised.value} {raised.value!r} {raised.value.faults} {raised.value.__cause__}"
    assert "xyzzy" not in told
    assert "77" not in told


def test_variables_that_are_no_settings_are_named(setting: pytest.MonkeyPatch) -> None:
    for name in ("SMSHUB_PORT_8080_TCP", "smshub_frobnicate", "SMSHUB_", "SMSHUBX", "smshub_log_level"):
        setting.setenv(name, "info")
    assert unknown_variables(os.environ) == ["SMSHUB_", "SMSHUB_PORT_8080_TCP", "smshub_frobnicate"]


def test_settings_cannot_be_changed() -> None:
    settings = Settings.from_environment()
    with pytest.raises(ValueError, match="frozen"):
        settings.log_level = "debug"


def test_the_documented_table_is_what_the_command_prints() -> None:
    printed = CliRunner().invoke(main, ["config", "explain", "--markdown"]).output
    document = DOCUMENT.read_text(encoding="utf-8")
    _, _, rest = document.partition("<!-- settings -->\n")
    table, marker, _ = rest.partition("<!-- /settings -->")
    assert marker
    assert table.strip() == printed.strip()
