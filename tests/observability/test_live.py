"""A hub that works, watched by a real Prometheus: every panel shows something, and whoever is on call is called."""

import math
import re
import time
from pathlib import Path

import pytest

from tests.conftest import PostgresServer
from tests.observability.files import ROOT, Shown, alerts, metrics_in, queries
from tests.observability.living import Life, a_life, live
from tests.observability.watching import needs_prometheus

pytestmark = [needs_prometheus, pytest.mark.timeout(180)]

# What a hub that is well does not show, and what must happen before it does.
NEEDS_A_FAULT = {
    "overview: Answers that are faults of the hub's": "a fault of the hub's, or a database that is away",
}

# What the hub does not have yet; queries of it are left out until it has.
NOT_YET = {
    *{"smshub_outcomes_total", "smshub_sent_segments_total", "smshub_sender_rate", "smshub_sender_queued_segments"},
    *{"smshub_sender_late_seconds", "smshub_sender_completion_seconds", "smshub_queued_deliveries"},
    *{"smshub_oldest_unknown_seconds", "smshub_daily_cap_used_ratio", "smshub_dispatchers"},
    *{"smshub_heartbeat_age_seconds", "smshub_database_connections", "smshub_database_wait_seconds"},
    "smshub_provider_credit",
}


def test_every_panel_shows_something_and_a_killed_dispatcher_is_told_of(
    postgres_server: PostgresServer, migrated_postgres: str, tmp_path: Path
) -> None:
    with postgres_server.database(template=migrated_postgres) as url, a_life(url, tmp_path) as (life, api):
        live(life, api)
        assert {
            name for query in queries() for name in metrics_in(query.expr) if not _is_exposed(name, life)
        } <= NOT_YET
        nothing = {query.name for query in queries() if _is_there(query, life) and not _shows_something(query, life)}
        told = life.on_call.told
    assert nothing == NEEDS_A_FAULT.keys()

    # Nobody was called for what is as it should be, among it a queue of minutes behind a sender's pace.
    called = life.on_call.names()
    assert called >= {"SmsHubSendingLate", "SmsHubSenderBarred"}
    assert called <= {
        *{"SmsHubSendingLate", "SmsHubSenderBarred", "SmsHubDispatcherMissing", "SmsHubSendLate", "SmsHubGone"},
        "SmsHubHeartbeatLate",
    }
    assert ("SmsHubDispatcherMissing" in called) == _is_exposed("smshub_dispatchers", life)
    assert "SmsHubSendingLate" in life.on_call.names(status="resolved")
    for alert in told:
        assert (ROOT / alert["annotations"]["runbook_url"]).is_file()
        assert not re.search("error|no value|NaN|{{", " ".join(alert["annotations"].values()))
    assert called <= {rule["alert"] for rule in alerts()}


def _is_there(query: Shown, life: Life) -> bool:
    return all(_is_exposed(name, life) for name in metrics_in(query.expr))


def _is_exposed(metric: str, life: Life) -> bool:
    return f"# TYPE {metric} " in life.exposed


def _shows_something(query: Shown, life: Life) -> bool:
    """A number, at some time."""
    found = life.prometheus.range(query.asked(rate_interval="10s"), start=life.began_s, end=time.time())
    return any(not math.isnan(float(value)) for each in found for _, value in each["values"])
