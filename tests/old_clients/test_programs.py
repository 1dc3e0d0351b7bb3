"""Programs for the first hub, as people wrote them in C# and PHP, go on working; all they are told is an address."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.harmful_proxy import LOGIN, TEXTS, Harm, ProxiedHub
from tests.http import Credentials
from tests.programs import compiled, need, run_program

HERE = Path(__file__).parent

# Each with the arguments that are its own.
PROGRAMS: Mapping[str, tuple[str, Sequence[str]]] = {
    "HttpClient": ("HttpClientProgram.cs", ["Bearer", "now"]),
    "HttpClient, token alone, no date": ("HttpClientProgram.cs", ["", ""]),
    "WebClient": ("WebClientProgram.cs", []),
    "curl": ("curl.php", []),
    "file_get_contents": ("file_get_contents.php", []),
}


@dataclass(frozen=True, slots=True)
class OldClient:
    command: Sequence[str | Path]
    arguments: Sequence[str]

    def works(self, url: str, program: Credentials, folder: Path) -> Sequence[str]:
        """Sends to three numbers, opts the second out, and sends again; the lines that it writes."""
        told = [url, program.program_id, program.sid, program.key, *self.arguments]
        ended = run_program([*self.command, *told], folder)
        assert ended.status == 0, ended.complaint
        assert ended.complaint == ""
        return ended.output.splitlines()


@pytest.fixture(scope="package")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Sequence[str | Path]]:
    """The command that runs a source of this folder; what is to be compiled is so once."""
    folder = tmp_path_factory.mktemp("built")

    @cache
    def command(name: str) -> Sequence[str | Path]:
        source = Path(shutil.copy(HERE / name, folder))
        if source.suffix == ".cs":
            return compiled(source)
        need("php")
        return ["php", source]

    return command


@pytest.fixture(params=PROGRAMS)
def client(request: pytest.FixtureRequest, built: Callable[[str], Sequence[str | Path]]) -> OldClient:
    name, arguments = PROGRAMS[request.param]
    return OldClient(built(name), arguments)


WHAT_IT_WRITES = [
    "Accepted for 3 numbers.",
    "Opted out",
    "Accepted for 2 numbers. 1 number opted out and will not be texted.",
]


def assert_sent(hub: ProxiedHub, program: Credentials) -> None:
    second, first = hub.texts_of(program)
    assert (first["Message"], second["Message"]) == ("The first", "The second")
    assert first["PhoneNumber"] == second["PhoneNumber"] == "+19706904544,+19706904545,+19706904546"
    assert first["ProgramId"] == program.program_id
    assert second["Counts"]["blocked"] == 1


def test_it_sends_and_opts_out(client: OldClient, hub: ProxiedHub, program: Credentials, tmp_path: Path) -> None:
    written = client.works(hub.running.url, program, tmp_path)

    assert written == WHAT_IT_WRITES
    assert_sent(hub, program)


def test_it_logs_in_again_when_its_token_has_expired(
    client: OldClient, hub: ProxiedHub, program: Credentials, tmp_path: Path
) -> None:
    hub.proxy.harms.append(Harm.EXPIRED_TOKEN)

    written = client.works(hub.proxy.public_url, program, tmp_path)

    assert written == WHAT_IT_WRITES
    assert_sent(hub, program)
    assert hub.proxy.statuses(TEXTS) == [401, 200, 200]
    assert hub.proxy.statuses(LOGIN) == [200, 200]
