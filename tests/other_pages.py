"""Pages of others, served from an origin of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copy
from threading import Thread

import pytest

from tests.ports import free_port

_JQUERY = Path(__file__).parents[1] / "requirements" / "npm" / "node_modules" / "jquery" / "dist" / "jquery.min.js"


@dataclass(frozen=True, slots=True)
class OtherSite:
    url: str
    folder: Path

    def publish_jquery(self) -> None:
        """As jquery-3.7.1.min.js. Skips the test where there is none."""
        if not _JQUERY.exists():
            pytest.skip(f"There is no {_JQUERY}: `make test-all` installs it.")
        copy(_JQUERY, self.folder / "jquery-3.7.1.min.js")

    def publish(self, name: str, page: str) -> None:
        (self.folder / name).write_text(page, encoding="utf-8")


class _Serves(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - as the base class calls it
        pass


@contextmanager
def an_other_site(folder: Path) -> Iterator[OtherSite]:
    """Serves the files of the folder."""
    port = free_port()
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Serves, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield OtherSite(f"http://127.0.0.1:{port}", folder)
        finally:
            server.shutdown()
            thread.join()
