"""One hub and one copy of each sample for all tests; each test has a program of its own."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.harmful_proxy import ProxiedHub, a_proxied_hub
from tests.http import Credentials
from tests.other_pages import OtherSite, an_other_site
from tests.programs import Ended, compiled, need, run_program
from tests.samples.shown import FILES, shown

collect_ignore = [] if find_spec("playwright") else ["test_page.py"]

_HERE = Path(__file__).parent
_WORDPRESS = _HERE.parents[1] / "requirements" / "wordpress"


@dataclass(frozen=True, slots=True)
class Copied:
    """A sample as somebody has copied it from the page into a file, and the command that runs it."""

    name: str
    file: Path
    command: Sequence[str | Path]

    def send(self, program: Credentials, *arguments: str, **environment: str) -> Ended:
        """The arguments are a number and a message."""
        return run_program(
            [*self.command, *arguments],
            self.file.parent,
            SMSHUB_PROGRAM_SID=program.sid,
            SMSHUB_PROGRAM_KEY=program.key,
            **environment,
        )


def _by(tool: str, *others: str) -> Callable[[Path], Sequence[str | Path]]:
    def command(file: Path) -> Sequence[str | Path]:
        need(tool, *others)
        return [tool, file]

    return command


def _by_wordpress(file: Path) -> Sequence[str | Path]:
    need("php")
    if not _WORDPRESS.exists():
        pytest.skip(f"There is no {_WORDPRESS}: `make test-all` downloads it.")
    return ["env", f"WORDPRESS={_WORDPRESS}", "php", _HERE / "wordpress.php", file]


_COMMANDS: Mapping[str, Callable[[Path], Sequence[str | Path]]] = {
    "curl": _by("sh", "curl", "jq"),
    "python": _by(sys.executable),
    "csharp": compiled,
    "php": _by("php"),
    "wordpress": _by_wordpress,
    "fetch": _by("node"),
}


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherSite]:
    with an_other_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="package")
def shared_hub(
    site: OtherSite, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxiedHub]:
    """One that pages of the site may call."""
    file = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("hub") / "hub.db")
    with a_proxied_hub(f"sqlite:///{file}", prefix="/cwis463", cors_origins=site.url) as hub:
        yield hub


@pytest.fixture
def hub(shared_hub: ProxiedHub) -> ProxiedHub:
    """As if nobody had called it yet."""
    shared_hub.proxy.forget()
    return shared_hub


@pytest.fixture(scope="module", params=_COMMANDS)
def sample(request: pytest.FixtureRequest, shared_hub: ProxiedHub, tmp_path_factory: pytest.TempPathFactory) -> Copied:
    """Each of those that run by themselves."""
    name: str = request.param
    file = tmp_path_factory.mktemp(name) / FILES[name]
    file.write_text(shown(shared_hub.running, name), encoding="utf-8")
    return Copied(name, file, _COMMANDS[name](file))
