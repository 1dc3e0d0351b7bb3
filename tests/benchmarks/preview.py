"""What a request costs that touches no database: the hub's own share of every request."""

from contextlib import ExitStack

from tests.benchmarks.bare import a_bare_handler
from tests.benchmarks.comparison import Subject, compare
from tests.benchmarks.comparison_report import comparison_table, ratio_verdict
from tests.benchmarks.extent import Extent
from tests.benchmarks.hub import PROGRAMS, a_hub
from tests.benchmarks.place import Place
from tests.benchmarks.posts import SHORT_TEXT, previews
from tests.benchmarks.report import Section

_LEAST = 0.7
_PATH = "/api/TextMessages/Preview"


def measure(place: Place, extent: Extent) -> Section:
    with ExitStack() as stack:
        hub = stack.enter_context(a_hub("api", place.postgresql.new_database(), place.folder))
        handler = stack.enter_context(a_bare_handler("preview", place.folder))
        bare, remembering, measured = compare(
            [
                Subject(name="bare", process=handler, post=previews(hub.tokens, path="/preview")),
                Subject(
                    name="bare, token remembered",
                    process=handler,
                    post=previews(hub.tokens, path="/preview-with-token-remembered"),
                ),
                Subject(name="hub", process=hub.process, post=previews(hub.tokens, path=_PATH)),
            ],
            extent,
        )
    return Section(
        title="preview: an authenticated request without a database",
        conditions=(
            f"`POST {_PATH}` with {len(SHORT_TEXT)} characters, for {PROGRAMS} programs in turn; {extent.in_words}. "
            "The bare handler verifies the token, reads the JSON and answers a small one. `bare, token remembered` "
            "looks a token that it has verified before up in a dictionary; it has no target and is there for "
            "comparison."
        ),
        table=comparison_table(bare, [remembering, measured]),
        verdicts=[ratio_verdict(f"At least {_LEAST:.1f} times bare", _LEAST, measured, bare)],
    )
