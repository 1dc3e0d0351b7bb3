"""The samples as the hub's page shows them."""

from html.parser import HTMLParser
from pathlib import Path

import entrypoints
from tests.http import RunningHub

FOLDER = Path(*entrypoints.__path__) / "http" / "pages" / "samples"
ADDRESS = "https://sms-hub.example"

# Each sample by what the page calls it, and the file in which whoever copies it would keep it.
FILES = {
    "curl": "send_text.sh",
    "python": "send_text.py",
    "csharp": "SendText.cs",
    "php": "send_text.php",
    "wordpress": "wordpress.php",
    "fetch": "send_text.mjs",
    "jquery": "send_text.html",
}


def shown(hub: RunningHub, name: str) -> str:
    """To the letter what somebody copies from the page."""
    public_url = hub.client.get("/openapi.json").json()["servers"][0]["url"]
    return (FOLDER / FILES[name]).read_text(encoding="utf-8").replace(ADDRESS, public_url)


def text_of(page: str, identifier: str) -> str:
    """The text of the one element with the identifier."""
    reader = _Reader(identifier)
    reader.feed(page)
    reader.close()
    assert reader.found == 1, f"{reader.found} elements are called {identifier}"
    return "".join(reader.text)


class _Reader(HTMLParser):
    def __init__(self, identifier: str) -> None:
        super().__init__()
        self._identifier = identifier
        self._depth = 0
        self.found = 0
        self.text: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._depth:
            self._depth += 1
        elif ("id", self._identifier) in attrs:
            self._depth = 1
            self.found += 1

    def handle_endtag(self, _tag: str) -> None:
        if self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.text.append(data)
