"""How fast single texts are accepted."""

from collections.abc import Sequence
from contextlib import ExitStack

from tests.benchmarks.bare import a_bare_handler
from tests.benchmarks.comparison import Measured, Subject, compare
from tests.benchmarks.comparison_report import comparison_table, ratio_verdict
from tests.benchmarks.extent import Extent
from tests.benchmarks.hub import PROGRAMS, a_hub
from tests.benchmarks.memory import MOST_RESIDENT_MB
from tests.benchmarks.place import BOTH, Place
from tests.benchmarks.posts import SHORT_TEXT, single_texts
from tests.benchmarks.report import Outcome, Section, Verdict, judged, number

_LEAST_WITH_GUARDS = 1.0
_LEAST_WITHOUT_GUARDS = 1.5


def measure(place: Place, extent: Extent) -> Section:
    bare, on_postgresql, on_sqlite = _compared(place, extent)
    return Section(
        title="accept: single texts",
        conditions=(
            f"`POST /api/TextMessages` with {len(SHORT_TEXT)} characters, each to another number and with another "
            f"`Idempotency-Key`, for {PROGRAMS} programs in turn, each with a sender and a token of its own; "
            f"{extent.in_words}. The bare handler verifies the token every time and, in one transaction on a "
            "connection from asyncpg's own pool of 10, inserts the key and the message. The hub is one `smshub api`. "
            "Both databases have an answered text on the disk."
        ),
        table=comparison_table(bare, [on_postgresql, on_sqlite]),
        verdicts=[
            ratio_verdict(
                f"On PostgreSQL with all guards at least {_LEAST_WITH_GUARDS:.1f} times bare",
                _LEAST_WITH_GUARDS,
                on_postgresql,
                bare,
            ),
            _without_guards(bare, on_postgresql),
            _memory([on_postgresql, on_sqlite]),
        ],
    )


def _compared(place: Place, extent: Extent) -> Sequence[Measured]:
    with ExitStack() as stack:
        hubs = {kind: stack.enter_context(a_hub("api", place.new_database(kind), place.folder)) for kind in BOTH}
        bare = stack.enter_context(a_bare_handler("accept", place.folder, database_url=place.postgresql.new_database()))
        # The bare handler takes the hub's own tokens.
        tokens = hubs[BOTH[0]].tokens
        return compare(
            [
                Subject(name="bare on PostgreSQL", process=bare, post=single_texts(tokens)),
                *(
                    Subject(name=f"hub on {kind}", process=hub.process, post=single_texts(hub.tokens))
                    for kind, hub in hubs.items()
                ),
            ],
            extent,
        )


def _without_guards(bare: Measured, hub: Measured) -> Verdict:
    """The guards cannot be taken off: what is reached with them is reached without them, and more is not known."""
    target = f"On PostgreSQL without guards at least {_LEAST_WITHOUT_GUARDS:.1f} times bare"
    verdict = ratio_verdict(target, _LEAST_WITHOUT_GUARDS, hub, bare)
    if verdict.outcome is not Outcome.MISSED:
        return verdict
    return Verdict(
        target=target,
        outcome=Outcome.OPEN,
        reached=f"It was measured with its guards on: {verdict.reached}",
    )


def _memory(hubs: Sequence[Measured]) -> Verdict:
    most = max(hub.resident_mb for hub in hubs)
    return judged(
        f"RSS of the API process after the load below {MOST_RESIDENT_MB} MB",
        met=most < MOST_RESIDENT_MB,
        reached=" ".join(f"The {hub.name} takes {number(hub.resident_mb)} MB." for hub in hubs),
        failed=[hub.failures for hub in hubs],
    )
