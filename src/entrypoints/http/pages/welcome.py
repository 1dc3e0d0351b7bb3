"""The page at `/`, for those who send texts and for those who write programs that do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version

import orjson
from markupsafe import Markup

from entrypoints.http.contract import Contract
from entrypoints.http.pages.samples import SAMPLES, block, sample
from entrypoints.http.pages.templates import TEMPLATES


@dataclass(frozen=True, kw_only=True, slots=True)
class Welcome:
    """What differs from hub to hub. `contact` is whom to ask for a program: an e-mail or web address, or empty."""

    contract: Contract
    contact: str
    token_lifetime: timedelta
    cors_origins: Sequence[str]

    def page(self) -> str:
        return TEMPLATES.get_template("welcome.html").render(
            hub=self.contract.url,
            contact=self.contact.removeprefix("https://"),
            contact_link=self.contact if "://" in self.contact else f"mailto:{self.contact}",
            token_lifetime=in_words(self.token_lifetime),
            cors_origins=self.cors_origins,
            version=version("sms-hub"),
            samples=SAMPLES,
            code=self._code,
            step=self._step,
            answer=self._answer(),
        )

    def _code(self, name: str) -> Markup:
        shown = next(each for each in SAMPLES if each.name == name)
        return block(f"sample-{name}", f"Sample: {shown.title}", shown.lexer, sample(shown.file, self.contract.url))

    def _step(self, name: str, label: str) -> Markup:
        return block(f"step-{name}", label, "bash", sample(f"steps/{name}.sh", self.contract.url))

    def _answer(self) -> Markup:
        """The example that the document has for it."""
        content = self.contract.operations["sendTextMessage"].definition["responses"]["200"]["content"]
        example = next(iter(content["application/json"]["examples"].values()))["value"]
        return block("answer", "The answer", "json", orjson.dumps(example, option=orjson.OPT_INDENT_2).decode())


def in_words(duration: timedelta) -> str:
    """In the largest unit of which it is more than one, and a whole number: `24 hours`, `182 days`."""
    seconds = int(duration.total_seconds())
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds % length == 0 and seconds > length:
            return f"{seconds // length} {unit}"
    return "1 second" if seconds == 1 else f"{seconds} seconds"
