"""Programs: how they use the interface, and what becomes of what they send.

Few metrics have a program in their labels: there may be thousands. The message log and `program` in the log lines tell
them apart.
"""

from dashboards.grafana import ORANGE, Column, Json, Query, dashboard, grown, series, stat, table

# What providers call is on their own dashboard.
_ASKED = 'HUB, operation!~"receive.+"'
_REFUSED = f'{_ASKED}, status=~"4.."'


def programs() -> Json:
    return dashboard(
        "sms-hub-programs",
        "SMS Hub / Programs",
        "How programs use the interface, and what becomes of what they send; where no program is named, all of them"
        " together. Which one it was, the log tells: `program` in `request_served` and `delivery_attempted`.",
        {
            "Now": [
                stat(
                    "Requests a second",
                    "Of programs and operators, to the public port.",
                    "reqps",
                    Query(f"sum(rate(smshub_http_requests_total{{{_ASKED}}}[$__rate_interval]))"),
                ),
                stat(
                    "Messages",
                    "Messages that were accepted, a second.",
                    "suffix: /s",
                    Query("sum(rate(smshub_accepted_messages_total{HUB}[$__rate_interval]))"),
                ),
                stat(
                    "Numbers in a message",
                    "On average, in the last half hour.",
                    "short",
                    Query(
                        "sum(rate(smshub_accepted_deliveries_total{HUB}[30m])) /"
                        " sum(rate(smshub_accepted_messages_total{HUB}[30m]))"
                    ),
                    decimals=1,
                ),
                stat(
                    "Opted out",
                    "The share of the numbers that are not texted since they have opted out, in the last half hour.",
                    "percentunit",
                    Query(
                        'sum(rate(smshub_accepted_deliveries_total{HUB, state="blocked"}[30m])) /'
                        " sum(rate(smshub_accepted_deliveries_total{HUB}[30m]))"
                    ),
                ),
                stat(
                    "Share refused",
                    "The share that is answered with a 4xx: clients do something wrong.",
                    "percentunit",
                    Query(
                        f"sum(rate(smshub_http_requests_total{{{_REFUSED}}}[$__rate_interval])) /"
                        f" sum(rate(smshub_http_requests_total{{{_ASKED}}}[$__rate_interval]))"
                    ),
                    steps=[(0.1, ORANGE)],
                ),
                stat(
                    "Failed logins",
                    "In the last quarter of an hour.",
                    "short",
                    Query('sum(increase(smshub_http_requests_total{HUB, operation="logIn", status=~"401|429"}[15m]))'),
                    steps=[(100, ORANGE)],
                    decimals=0,
                ),
                stat(
                    "Repeated",
                    "Requests, in the last hour, that were answered as an earlier one with the same `Idempotency-Key`.",
                    "short",
                    Query("sum(increase(smshub_replayed_messages_total{HUB}[1h]))"),
                    decimals=0,
                ),
                stat(
                    "Texted back",
                    "Texts from people, in the last hour.",
                    "short",
                    Query('sum(increase(smshub_callbacks_total{HUB, kind="inbound", outcome="stored"}[1h]))'),
                    decimals=0,
                ),
            ],
            "Interface": [
                series(
                    "Requests",
                    "By operation of the OpenAPI document; `none` is no operation.",
                    "reqps",
                    Query(
                        f"sum by (operation) (rate(smshub_http_requests_total{{{_ASKED}}}[$__rate_interval]))",
                        "{{operation}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Refused requests",
                    "By operation and status. 400 and 422: a client's fault in what it sends. 401: a token that is"
                    " over, usual once a day. 429: too many.",
                    "reqps",
                    Query(
                        f"sum by (operation, status) (rate(smshub_http_requests_total{{{_REFUSED}}}"
                        "[$__rate_interval]))",
                        "{{operation}} {{status}}",
                    ),
                    stacked=True,
                ),
                series(
                    "How long requests take",
                    "By operation, 95 of 100. Clients of the first hub give up after 5 s.",
                    "s",
                    Query(
                        "histogram_quantile(0.95, sum by (le, operation)"
                        f" (rate(smshub_http_request_seconds_bucket{{{_ASKED}}}[$__rate_interval])))",
                        "{{operation}}",
                    ),
                ),
                series(
                    "Logins",
                    "By status. 401: wrong credentials. 429: too often, from one address, for one program.",
                    "reqps",
                    Query(
                        'sum by (status) (rate(smshub_http_requests_total{HUB, operation="logIn"}[$__rate_interval]))',
                        "{{status}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Messages stored at once",
                    "How many messages share a transaction: concurrent requests do, and it makes them cheap.",
                    "short",
                    Query(
                        "sum(rate(smshub_texts_per_commit_sum{HUB}[$__rate_interval])) /"
                        " sum(rate(smshub_texts_per_commit_count{HUB}[$__rate_interval]))",
                        "on average",
                    ),
                ),
                series(
                    "Repeated requests",
                    "Answered as an earlier one with the same `Idempotency-Key`; nothing was stored again. Many:"
                    " clients do not wait for the answer, or do not get it.",
                    "suffix: /s",
                    Query("sum(rate(smshub_replayed_messages_total{HUB}[$__rate_interval]))", "repeated"),
                ),
            ],
            "What becomes of texts": [
                series(
                    "Accepted texts",
                    "By their first state. `scheduled`: for a later time. `blocked`: the number has opted out.",
                    "suffix: /s",
                    Query(
                        "sum by (state) (rate(smshub_accepted_deliveries_total{HUB}[$__rate_interval]))", "{{state}}"
                    ),
                    stacked=True,
                ),
                series(
                    "Outcomes",
                    "Texts that came to their end, by how.",
                    "suffix: /s",
                    Query(
                        'sum by (state) (rate(smshub_outcomes_total{HUB, state!~"sent|unknown"}[$__rate_interval]))',
                        "{{state}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Why texts did not arrive",
                    "The ten most frequent reasons; the providers' page has a sentence for each.",
                    "suffix: /s",
                    Query(
                        "topk(10, sum by (reason) (rate(smshub_outcomes_total"
                        '{HUB, state=~"undelivered|failed|expired|blocked"}[$__rate_interval])))',
                        "{{reason}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Texts from people",
                    "What people texted back, by what the hub took it for; `nobodys` is for no program that it knows.",
                    "suffix: /s",
                    Query(
                        "sum by (outcome, keyword) (rate(smshub_inbound_messages_total{HUB}[$__rate_interval]))",
                        "{{outcome}}, keyword {{keyword}}",
                    ),
                ).sized(24, 6),
            ],
            "Each program": [
                series(
                    "Accepted segments",
                    "Of the ten programs that post most. What was posted at once leaves at the pace of its sender.",
                    "suffix: /s",
                    Query(
                        "topk(10, sum by (program) (rate(smshub_accepted_segments_total{HUB}[$__rate_interval])))",
                        "{{program}}",
                    ),
                ).sized(12),
                series(
                    "Against the week before",
                    "Segments within ten minutes, as a multiple of the most that the program posted in ten minutes of"
                    " the week before, which is taken for 200 at least. Above 5 somebody is called: a stolen key, or a"
                    " loop. Programs that are new have no line for half a day.",
                    "short",
                    Query(
                        "topk(10, max by (namespace, program)"
                        ' (smshub:accepted_segments:increase10m{namespace=~"$namespace"} /'
                        ' clamp_min(smshub:accepted_segments:max7d{namespace=~"$namespace"}, 200)))',
                        "{{program}}",
                    ),
                ).sized(12),
            ],
            "Budgets": [
                series(
                    "Budgets used",
                    "Of the day's or the month's, whichever is used more: of the programs nearest to their end. At 1"
                    " the program's texts are refused until the next.",
                    "percentunit",
                    Query("max by (program) (smshub_budget_used_ratio{HUB})", "{{program}}"),
                ),
                series(
                    "Texts without room in a budget",
                    "Requests that were answered with 429, since their program's budget had no room for them.",
                    "suffix: /s",
                    Query("sum(rate(smshub_budget_refusals_total{HUB}[$__rate_interval]))", "refused"),
                ),
            ],
            "Webhooks": [
                series(
                    "Calls to webhooks",
                    "By what they came to. `refused` was answered, with another status than 200 to 299; what was not"
                    " accepted is tried again for three days.",
                    "suffix: /s",
                    Query(
                        "sum by (outcome) (rate(smshub_webhook_attempts_total{HUB}[$__rate_interval]))", "{{outcome}}"
                    ),
                    stacked=True,
                ),
                series(
                    "Events that wait",
                    "Of webhooks that are called. Growing: an endpoint fails, or is slow; `smshub webhooks list` shows"
                    " which.",
                    "short",
                    Query("max(smshub_webhook_events_waiting{HUB})", "events"),
                ),
                series(
                    "Oldest event that waits",
                    "How long ago it happened. Events are kept for `SMSHUB_WEBHOOK_RETENTION`.",
                    "s",
                    Query("max(smshub_oldest_webhook_event_seconds{HUB})", "oldest"),
                ),
                series(
                    "Webhooks that were disabled",
                    "`gone`: they answered 410. `failing`: they accepted nothing for five days. Their programs can"
                    " enable them, and so can you: `smshub webhooks enable`.",
                    "short",
                    Query(f"sum by (reason) {grown('smshub_disabled_webhooks_total')}", "{{reason}}"),
                ),
            ],
            "Each operation": [
                table(
                    "Operations",
                    "The interface's operations in the last quarter of an hour.",
                    "operation",
                    Column(
                        "Requests", f"sum by (operation) (rate(smshub_http_requests_total{{{_ASKED}}}[15m]))", "reqps"
                    ),
                    Column(
                        "Refused",
                        f"sum by (operation) (rate(smshub_http_requests_total{{{_REFUSED}}}[15m])) /"
                        f" on (operation) sum by (operation) (rate(smshub_http_requests_total{{{_ASKED}}}[15m]))",
                        "percentunit",
                    ),
                    Column(
                        "Faults of the hub's",
                        "1 - sum by (operation) (rate(smshub_http_requests_total"
                        f'{{{_ASKED}, status!~"5.."}}[15m])) / on (operation)'
                        f" sum by (operation) (rate(smshub_http_requests_total{{{_ASKED}}}[15m]))",
                        "percentunit",
                    ),
                    Column(
                        "95 of 100 are faster than",
                        "histogram_quantile(0.95, sum by (le, operation)"
                        f" (rate(smshub_http_request_seconds_bucket{{{_ASKED}}}[15m])))",
                        "s",
                    ),
                ),
            ],
        },
    )
