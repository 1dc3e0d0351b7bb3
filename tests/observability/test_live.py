"""A hub that works, watched by a real Prometheus: every panel shows something, and whoever is on call is called."""

import math
import re
import time
from pathlib import Path

from tests.conftest import PostgresServer
from tests.e2e.running import eventually
from tests.observability.files import ROOT, Shown, queries
from tests.observability.living import Life, a_life, live
from tests.observability.watching import needs_prometheus

pytestmark = needs_prometheus

# What a hub that is well, or young, does not show, and what must happen before it does.
NEEDS_A_FAULT = {
    "overview: Answers that are faults of the hub's": "a fault of the hub's, or a database that is away",
    "programs: Webhooks that were disabled": "an endpoint that answers 410, or fails for days",
    "programs: Against the week before": "half a day that went before",
}

CALLS_FOR = {"SmsHubSendingLate", "SmsHubSenderBarred", "SmsHubDispatcherMissing"}

# There is no process at first, and no dispatcher; and the machine may be slow. For nothing else somebody is called, not
# for a queue of minutes that waits for its sender's pace.
MAY_CALL_FOR = {
    *{"SmsHubGone", "SmsHubHeartbeatLate", "SmsHubSendLate"},
    *{"SmsHubAcceptSlow", "SmsHubDatabaseSlow"},
}


def test_every_panel_shows_something_and_a_killed_dispatcher_is_told_of(
    postgres_server: PostgresServer, migrated_postgres: str, tmp_path: Path
) -> None:
    with postgres_server.database(template=migrated_postgres) as url, a_life(url, tmp_path) as (life, api):
        live(life, api)
        eventually(lambda: not _without_anything(life) - NEEDS_A_FAULT.keys())
        assert _without_anything(life) == NEEDS_A_FAULT.keys()
        eventually(lambda: "SmsHubSendingLate" in life.on_call.names(status="resolved"))
        told = life.on_call.told

    called = life.on_call.names()
    assert called >= CALLS_FOR
    assert called <= CALLS_FOR | MAY_CALL_FOR
    for alert in told:
        assert (ROOT / alert["annotations"]["runbook_url"]).is_file()
        assert not re.search("error|no value|NaN|{{", " ".join(alert["annotations"].values()))


def _without_anything(life: Life) -> set[str]:
    return {query.name for query in queries() if not _shows_something(query, life)}


def _shows_something(query: Shown, life: Life) -> bool:
    """A number, at some time."""
    found = life.prometheus.range(query.asked(rate_interval="10s"), start=life.began_s, end=time.time())
    return any(not math.isnan(float(value)) for each in found for _, value in each["values"])
