"""Overview: whether the hub does what it promises, and what it does."""

from dashboards.grafana import ORANGE, RED, Json, Panel, Query, dashboard, series, stat
from dashboards.shared_panels import barred_senders, overdue

_SLO = 'namespace=~"$namespace"'


def _burn(title: str, promise: str, name: str) -> Panel:
    return series(
        title,
        f"How fast the error budget is spent: {promise}. At 1 it lasts as it should; above 14.4 somebody is called.",
        "short",
        *(Query(f"max({name}:burn_rate{window}{{{_SLO}}})", window) for window in ("1h", "6h", "3d")),
    )


def overview() -> Json:
    return dashboard(
        "sms-hub-overview",
        "SMS Hub / Overview",
        "Whether the hub does what it promises, and what it does.",
        {
            "Now": [
                stat(
                    "Accepted",
                    "Messages that were stored and answered with 200, a second.",
                    "suffix: /s",
                    Query("sum(rate(smshub_accepted_messages_total{HUB}[$__rate_interval]))"),
                ),
                stat(
                    "Sent",
                    "Texts that providers took, a second.",
                    "suffix: /s",
                    Query('sum(rate(smshub_attempts_total{HUB, outcome="accepted"}[$__rate_interval]))'),
                ),
                stat(
                    "Waiting",
                    "Texts that wait for their pace or their time. However many and however old: a large number is no"
                    " fault, senders are as fast as they may be.",
                    "short",
                    Query('sum(max by (state) (smshub_queued_deliveries{HUB, state=~"queued|scheduled"}))'),
                ),
                overdue(),
                stat(
                    "Dispatchers",
                    "Dispatchers that are alive. None: nothing is sent.",
                    "short",
                    Query("max(smshub_dispatchers{HUB})"),
                ),
                barred_senders(),
                stat(
                    "Unknown",
                    "Texts that may have been sent or not. Providers are asked about them; what stays is for people.",
                    "short",
                    Query('max(smshub_queued_deliveries{HUB, state="unknown"})'),
                    steps=[(10, ORANGE), (100, RED)],
                ),
                stat(
                    "Paused",
                    "What operators have paused: the hub, programs and senders together.",
                    "short",
                    Query("sum(max by (what) (smshub_paused{HUB}))"),
                    steps=[(1, ORANGE)],
                ),
            ],
            "Texts": [
                series(
                    "Accepted texts",
                    "Deliveries that were stored, by their first state. `blocked`: the number has opted out.",
                    "suffix: /s",
                    Query(
                        "sum by (state) (rate(smshub_accepted_deliveries_total{HUB}[$__rate_interval]))", "{{state}}"
                    ),
                    stacked=True,
                ),
                series(
                    "Calls to providers",
                    "By what they came to. `accepted` is sent, `refused` failed for good, `throttled`, `not-sent` and"
                    " `barred` are tried again, `unknown` is asked about.",
                    "suffix: /s",
                    Query("sum by (outcome) (rate(smshub_attempts_total{HUB}[$__rate_interval]))", "{{outcome}}"),
                    stacked=True,
                ),
                series(
                    "Outcomes",
                    "Deliveries that came to their end, by how.",
                    "suffix: /s",
                    Query(
                        'sum by (state) (rate(smshub_outcomes_total{HUB, state!~"sent|unknown"}[$__rate_interval]))',
                        "{{state}}",
                    ),
                    stacked=True,
                ),
                series(
                    "What is not through yet",
                    "Deliveries by state. `queued` waits for its pace, `scheduled` for its time, `unknown` for word"
                    " from the provider. Not a sign of trouble by its size.",
                    "short",
                    Query("max by (state) (smshub_queued_deliveries{HUB})", "{{state}}"),
                    stacked=True,
                ),
                series(
                    "Lateness",
                    "Overdue: what could be sent and is not. Sent late: how long after their slots texts left, 99 of"
                    " 100. Both grow when dispatchers cannot keep up; a backlog alone makes neither grow.",
                    "s",
                    Query("max(smshub_overdue_seconds{HUB})", "overdue"),
                    Query(
                        "histogram_quantile(0.99, sum by (le)"
                        " (rate(smshub_send_late_seconds_bucket{HUB}[$__rate_interval])))",
                        "sent late, p99",
                    ),
                ),
                series(
                    "Delivered",
                    "Of the texts whose end is known, the share that arrived, in the last half hour.",
                    "percentunit",
                    Query(
                        'sum(rate(smshub_outcomes_total{HUB, state="delivered"}[30m])) /'
                        ' sum(rate(smshub_outcomes_total{HUB, state=~"delivered|undelivered|failed"}[30m]))',
                        "delivered",
                    ),
                    most=1,
                ),
            ],
            "Service levels": [
                _burn("Accepting works", "0.1 % of posted texts may fail for the hub's fault", "smshub:accept_errors"),
                _burn("Accepting is fast", "1 % may take longer than half a second", "smshub:accept_slow"),
                _burn("Sending is in time", "1 % may leave more than a second after their slot", "smshub:send_late"),
            ],
            "Interface": [
                series(
                    "Requests",
                    "To the public port, by operation.",
                    "reqps",
                    Query(
                        "sum by (operation) (rate(smshub_http_requests_total{HUB}[$__rate_interval]))", "{{operation}}"
                    ),
                    stacked=True,
                ),
                series(
                    "Answers that are faults of the hub's",
                    "500 is a fault in the hub, which its log explains; 503 is a database that is away or slow.",
                    "reqps",
                    Query(
                        'sum by (operation, status) (rate(smshub_http_requests_total{HUB, status=~"5.."}'
                        "[$__rate_interval]))",
                        "{{operation}} {{status}}",
                    ),
                ),
                series(
                    "How long a post takes",
                    "`sendTextMessage`. Requests with `Prefer: wait` count with the time that they were asked to wait.",
                    "s",
                    *(
                        Query(
                            f"histogram_quantile({quantile}, sum by (le) (rate(smshub_http_request_seconds_bucket"
                            '{HUB, operation="sendTextMessage"}[$__rate_interval])))',
                            name,
                        )
                        for quantile, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
                    ),
                ),
            ],
            "Processes": [
                series(
                    "CPU",
                    "Cores that each process uses. One process uses one core at the most.",
                    "suffix: cores",
                    Query("rate(process_cpu_seconds_total{HUB}[$__rate_interval])", "{{job}} {{instance}}"),
                ),
                series(
                    "Memory",
                    "Resident memory of each process.",
                    "bytes",
                    Query("process_resident_memory_bytes{HUB}", "{{job}} {{instance}}"),
                ),
                series(
                    "Heartbeat",
                    "How long ago each dispatcher said that it is alive. After 3 s the others count on it no more,"
                    " after 6 s it stops sending.",
                    "s",
                    Query("smshub_heartbeat_age_seconds{HUB} >= 0", "{{instance}}"),
                ),
                series(
                    "Database connections",
                    "Of all processes. `in_use` at the pool's size all the time: requests wait for one.",
                    "short",
                    Query("sum by (state) (smshub_database_connections{HUB})", "{{state}}"),
                    stacked=True,
                ),
                series(
                    "Wait for a connection",
                    "How long work waited until it had a connection to the database, 99 of 100.",
                    "s",
                    Query(
                        "histogram_quantile(0.99, sum by (le)"
                        " (rate(smshub_database_wait_seconds_bucket{HUB}[$__rate_interval])))",
                        "p99",
                    ),
                ),
                series(
                    "Database away",
                    "How often it did not answer a dispatcher. Nothing is lost meanwhile, and nothing is sent.",
                    "suffix: /s",
                    Query(
                        "sum by (instance) (rate(smshub_store_unavailable_total{HUB}[$__rate_interval]))",
                        "{{instance}}",
                    ),
                ),
                series(
                    "Versions",
                    "How many processes run which version. Two for long: an upgrade is stuck.",
                    "short",
                    Query("count by (version) (smshub_build_info{HUB})", "{{version}}"),
                    stacked=True,
                ).sized(12),
                series(
                    "Alerts",
                    "Those that are pending or firing. Each has a runbook.",
                    "short",
                    Query(
                        "count by (alertname, severity, alertstate)"
                        ' (ALERTS{alertname=~"SmsHub.+", namespace=~"$namespace"})',
                        "{{alertname}} {{severity}} {{alertstate}}",
                    ),
                ).sized(12),
            ],
        },
    )
