"""Programs to copy, in the folder `samples`, filled with the address at which callers reach the hub."""

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

_FOLDER = Path(__file__).parent / "samples"

# What the files have in its place, so that they are whole programs.
_ADDRESS = "https://sms-hub.example"


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    title: str
    file: str
    lexer: str
    needs: str


SAMPLES = (
    Sample(
        "curl",
        "curl",
        "send_text.sh",
        "bash",
        "For a POSIX shell with curl and jq. Set SMSHUB_PROGRAM_SID and SMSHUB_PROGRAM_KEY in the environment.",
    ),
    Sample(
        "python",
        "Python",
        "send_text.py",
        "python",
        "For Python 3.9 and newer, with the package requests. Set SMSHUB_PROGRAM_SID and SMSHUB_PROGRAM_KEY in the "
        "environment.",
    ),
    Sample(
        "csharp",
        "C#",
        "SendText.cs",
        "csharp",
        "For .NET, .NET Framework and Mono, with the package Newtonsoft.Json. Set SMSHUB_PROGRAM_SID and "
        "SMSHUB_PROGRAM_KEY in the environment.",
    ),
    Sample(
        "php",
        "PHP",
        "send_text.php",
        "php",
        "For PHP 8 with its curl extension. Set SMSHUB_PROGRAM_SID and SMSHUB_PROGRAM_KEY in the environment.",
    ),
    Sample(
        "wordpress",
        "WordPress",
        "wordpress.php",
        "php",
        "A plugin: put the file into wp-content/plugins, define SMSHUB_PROGRAM_SID and SMSHUB_PROGRAM_KEY in "
        "wp-config.php, and call its function from your theme or plugins.",
    ),
    Sample(
        "fetch",
        "JavaScript (fetch)",
        "send_text.mjs",
        "javascript",
        "For Node.js 18 and newer. Set SMSHUB_PROGRAM_SID and SMSHUB_PROGRAM_KEY in the environment.",
    ),
    Sample(
        "jquery",
        "JavaScript (jQuery)",
        "send_text.html",
        "html",
        "A page for staff, who type the credentials in. Put jquery-3.7.1.min.js beside it, and have the origin of the "
        "page let in by those who run the hub.",
    ),
)


def sample(file: str, url: str) -> str:
    """The text of one of the files, for a hub at the address."""
    return (_FOLDER / file).read_text(encoding="utf-8").replace(_ADDRESS, url)


def block(identifier: str, label: str, lexer: str, text: str) -> Markup:
    """Code as it is shown. The text of the element with the identifier is the code, to the letter."""
    spans = highlight(text, get_lexer_by_name(lexer, stripnl=False), HtmlFormatter(nowrap=True))
    return Markup(
        '<div class="code"><pre tabindex="0" role="region" aria-label="{label}"><code id="{identifier}">'
        "{spans}</code></pre></div>"
    ).format(label=escape(label), identifier=escape(identifier), spans=Markup(spans))  # noqa: S704 - Pygments escapes
