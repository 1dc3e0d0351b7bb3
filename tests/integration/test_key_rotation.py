"""Keys of rings are replaced step by step, and nothing that they signed or encrypted is lost on the way."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from adapters.tokens import JwtTokens
from domain.errors import TokenRefused
from domain.model.access import Grant, Scope
from entrypoints.settings import Settings
from tests.e2e.running import SENDER, SIGNING_KEYS, smshub

OLD_ID, OLD = "test", SIGNING_KEYS
CREDENTIALS = json.dumps({"account_sid": "AC" + "0" * 32, "auth_token": "a-token-that-nobody-is-to-see"})


@pytest.fixture
def environment(sqlite_url: str) -> dict[str, str]:
    return {"SMSHUB_DATABASE_URL": sqlite_url, "SMSHUB_SIGNING_KEYS": OLD, "SMSHUB_ENCRYPTION_KEYS": OLD}


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.output
    return result


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert OLD not in result.output
    return result.stderr


def rotated(environment: Mapping[str, str], ring: str, *more: str) -> tuple[str, str]:
    """The new ring, and what is said."""
    result = done(smshub("keys", "rotate", "--ring", ring, *more, environment=environment))
    return result.stdout.strip(), result.stderr


def ids(ring: str) -> list[str]:
    return [entry.partition(":")[0] for entry in ring.split(",")]


def tokens(ring: str) -> JwtTokens:
    settings = Settings.from_environment(signing_keys=ring, signing_keys_file="")
    return JwtTokens(settings.signing_ring(), issuer="hub", audience="programs")


def a_grant() -> Grant:
    now = datetime.now(UTC).replace(microsecond=0)
    return Grant(
        program_id="city-hall",
        program_sid="AC-1",
        scopes=frozenset({Scope.SEND}),
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        token_id="01",
    )


def test_a_key_is_replaced_in_three_steps(environment: dict[str, str]) -> None:
    rings, said = [OLD], []
    for more in ((), (), ("--step", "drop")):
        ring, told = rotated(environment | {"SMSHUB_SIGNING_KEYS": rings[-1]}, "signing", *more)
        rings.append(ring)
        said.append(told)
    first, added, used, alone = map(ids, rings)

    new = added[1]
    assert re.fullmatch(r"k\d{14}", new)
    assert (first, added, used, alone) == ([OLD_ID], [OLD_ID, new], [new, OLD_ID], [new])
    for step, told in enumerate(said, 1):
        assert told.startswith(f"Step {step} of 3: ")
        assert not any(entry in told for ring in rings for entry in ring.split(","))


def test_tokens_of_neighbouring_steps_are_good_at_both(environment: dict[str, str]) -> None:
    added, _ = rotated(environment, "signing")
    used, _ = rotated(environment | {"SMSHUB_SIGNING_KEYS": added}, "signing")
    alone, _ = rotated(environment | {"SMSHUB_SIGNING_KEYS": used}, "signing", "--step", "drop")

    for one, other in ((OLD, added), (added, used)):
        assert tokens(other).verify(tokens(one).issue(a_grant())) == a_grant()
        assert tokens(one).verify(tokens(other).issue(a_grant())) == a_grant()
    assert tokens(alone).verify(tokens(used).issue(a_grant())) == a_grant()
    with pytest.raises(TokenRefused):
        tokens(alone).verify(tokens(OLD).issue(a_grant()))


@pytest.mark.parametrize(("lifetime", "dropped"), [("P1D", True), ("P366D", False)])
def test_a_signing_key_is_dropped_when_its_last_tokens_have_expired(
    environment: dict[str, str], lifetime: str, *, dropped: bool
) -> None:
    made = (datetime.now(UTC) - timedelta(days=2)).strftime("k%Y%m%d%H%M%S")
    both = f"{made}:{OLD.partition(':')[2]},{OLD}"
    hub = environment | {"SMSHUB_SIGNING_KEYS": both, "SMSHUB_TOKEN_LIFETIME": lifetime}

    result = smshub("keys", "rotate", "--ring", "signing", environment=hub)

    if dropped:
        assert ids(done(result).stdout.strip()) == [made]
    else:
        assert "younger than tokens get" in refused(result)
        assert result.stdout == ""


def test_an_encryption_key_is_dropped_when_all_is_encrypted_with_the_new_one(environment: dict[str, str]) -> None:
    create = ("programs", "create", "--name", "City Hall", "--provider", "twilio", "--sender", SENDER)
    done(smshub(*create, "--credentials-file", "-", environment=environment, stdin=CREDENTIALS))
    ring = OLD
    for _ in range(2):
        ring, _ = rotated(environment | {"SMSHUB_ENCRYPTION_KEYS": ring}, "encryption")

    alone, said = rotated(environment | {"SMSHUB_ENCRYPTION_KEYS": ring}, "encryption")

    assert "credentials of 1 provider accounts" in said
    # Only what its keys can read is encrypted anew.
    done(smshub("keys", "reseal", environment=environment | {"SMSHUB_ENCRYPTION_KEYS": alone}))
    assert "cannot be read" in refused(smshub("keys", "reseal", environment=environment))


def test_an_encryption_key_that_is_still_needed_stays_where_the_database_is_away(
    environment: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "ring"
    file.write_text(f"k20261126000000:{OLD.partition(':')[2]},{OLD}\n")
    away = environment | {"SMSHUB_DATABASE_URL": f"sqlite:///{tmp_path / 'nowhere' / 'hub.db'}"}
    before = file.read_text()

    refused(smshub("keys", "rotate", "--ring", "encryption", "--file", str(file), environment=away))

    assert file.read_text() == before


def test_a_ring_without_a_key_gets_its_first(environment: dict[str, str]) -> None:
    ring, said = rotated(environment | {"SMSHUB_SIGNING_KEYS": ""}, "signing")

    assert len(ids(ring)) == 1
    assert "is the first" in said


def test_a_key_is_newer_than_one_of_the_same_second(environment: dict[str, str]) -> None:
    ring, _ = rotated(environment | {"SMSHUB_SIGNING_KEYS": ""}, "signing")

    added, _ = rotated(environment | {"SMSHUB_SIGNING_KEYS": ring}, "signing")

    assert ids(added) == sorted(set(ids(added)))


def test_where_ids_tell_nothing_the_step_is_said(environment: dict[str, str]) -> None:
    both = environment | {"SMSHUB_SIGNING_KEYS": f"2026:{OLD.partition(':')[2]},2027:{OLD.partition(':')[2]}"}
    no_time = environment | {"SMSHUB_SIGNING_KEYS": f"k99999999999999:{OLD.partition(':')[2]},{OLD}"}

    assert "--step" in refused(smshub("keys", "rotate", "--ring", "signing", environment=no_time))
    assert "--step" in refused(smshub("keys", "rotate", "--ring", "signing", environment=both))
    assert ids(rotated(both, "signing", "--step", "use")[0]) == ["2027", "2026"]
    assert ids(rotated(both, "signing", "--step", "drop")[0]) == ["2026"]
    assert len(ids(rotated(both, "signing", "--step", "add")[0])) == 3


def test_what_cannot_be_used_yet_is_not(environment: dict[str, str]) -> None:
    assert "no second key" in refused(
        smshub("keys", "rotate", "--ring", "signing", "--step", "use", environment=environment)
    )


# Files


def written(path: Path, *more: str) -> str:
    """The file after one step."""
    result = done(smshub("keys", "rotate", "--ring", "signing", "--file", str(path), *more, environment={}))
    assert result.stdout == "", "what is secret stands in the file alone"
    return path.read_bytes().decode()


@pytest.mark.parametrize(
    "line",
    [
        "SMSHUB_SIGNING_KEYS={}",
        'export SMSHUB_SIGNING_KEYS="{}"',
        "  SMSHUB_SIGNING_KEYS='{}'  ",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_in_an_env_file_one_line_changes_and_nothing_else(tmp_path: Path, line: str, end: str) -> None:
    file = tmp_path / "hub.env"
    other = f"# SMSHUB_SIGNING_KEYS=x:y\nSMSHUB_ENCRYPTION_KEYS=e:{'e' * 43}\nMY_SMSHUB_SIGNING_KEYS=a:b\n"
    template = f"{other}{line}{end}" + ("LAST=1" + end if end else "")
    file.write_bytes(template.replace("{}", OLD).encode())

    after = written(file)

    ring = re.escape(OLD) + r",k\d{14}:[A-Za-z0-9_-]{43}"
    assert re.fullmatch(re.escape(template).replace(re.escape("{}"), ring), after)


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_a_file_may_hold_the_ring_alone(tmp_path: Path, end: str) -> None:
    file = tmp_path / "signing-keys"
    file.write_text(OLD + end)

    after = written(file)

    assert re.fullmatch(re.escape(OLD) + r",k\d{14}:[A-Za-z0-9_-]{43}" + end, after)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o644])
def test_who_may_read_a_file_stays_and_nothing_is_left_beside_it(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "ring").write_text(OLD)
    (folder / "ring").chmod(mode)
    link = tmp_path / "link"
    link.symlink_to(folder / "ring")

    written(link)

    assert link.is_symlink()
    assert (folder / "ring").stat().st_mode & 0o7777 == mode
    assert [each.name for each in folder.iterdir()] == ["ring"]


def test_all_three_steps_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hub.env"
    file.write_text(f"SMSHUB_SIGNING_KEYS={OLD}\n")

    steps = ((), (), ("--step", "drop"))
    found = [ids(written(file, *step).strip().partition("=")[2]) for step in steps]

    new = found[0][1]
    assert found == [[OLD_ID, new], [new, OLD_ID], [new]]


@pytest.mark.parametrize(
    "content",
    [
        f"SMSHUB_SIGNING_KEYS={OLD}\nSMSHUB_SIGNING_KEYS={OLD}\n",
        "SMSHUB_LOG_LEVEL=info\n",
        f"SMSHUB_SIGNING_KEYS={OLD},{OLD}\n",
        f"SMSHUB_SIGNING_KEYS={OLD} # the old one\n",
        "not a ring",
        base64.b64encode(bytes(range(48))).decode(),
    ],
)
def test_a_file_that_cannot_be_understood_stays_as_it_is(tmp_path: Path, content: str) -> None:
    file = tmp_path / "hub.env"
    file.write_text(content)

    refused(smshub("keys", "rotate", "--ring", "signing", "--file", str(file), environment={}))

    assert file.read_text() == content


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"\xff\xfe"), lambda _: None], ids=["no text", "none"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "hub.env")

    said = refused(smshub("keys", "rotate", "--ring", "signing", "--file", str(tmp_path / "hub.env"), environment={}))

    assert said == f"Error: {tmp_path / 'hub.env'} cannot be read.\n"
