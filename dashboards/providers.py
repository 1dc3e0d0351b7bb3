"""Providers: whether they take what the hub sends, how fast, and what they say of it later."""

from dashboards.grafana import ORANGE, RED, Json, Query, Variable, dashboard, grown, heatmap, series, stat

_OF = 'HUB, provider=~"$provider"'
# Vonage's SMS API has a name of its own where it calls the hub.
_FROM = 'HUB, provider=~"($provider)(-sms)?"'

_KNOWN_ENDS = 'state=~"delivered|undelivered|failed"'


def providers() -> Json:
    return dashboard(
        "sms-hub-providers",
        "SMS Hub / Providers",
        "Whether providers take what the hub sends, how fast, and what they say of it later.",
        {
            "Now": [
                stat(
                    "Calls",
                    "Calls to providers, a second.",
                    "reqps",
                    Query(f"sum(rate(smshub_attempts_total{{{_OF}}}[$__rate_interval]))"),
                ),
                stat(
                    "Failed calls",
                    "The share that a provider did not take for its own reasons: not reached, throttled, no answer."
                    " Numbers that cannot be texted are not among them.",
                    "percentunit",
                    Query(
                        f'sum(rate(smshub_attempts_total{{{_OF}, outcome=~"not-sent|throttled|unknown|barred"}}'
                        f"[$__rate_interval])) / sum(rate(smshub_attempts_total{{{_OF}}}[$__rate_interval]))"
                    ),
                    steps=[(0.05, ORANGE), (0.2, RED)],
                ),
                stat(
                    "A call takes",
                    "95 of 100 calls are faster.",
                    "s",
                    Query(
                        "histogram_quantile(0.95, sum by (le)"
                        f" (rate(smshub_attempt_seconds_bucket{{{_OF}}}[$__rate_interval])))"
                    ),
                    steps=[(2, ORANGE), (5, RED)],
                ),
                stat(
                    "Share delivered",
                    "Of the texts whose end is known, the share that arrived, in the last half hour.",
                    "percentunit",
                    Query(
                        f'sum(rate(smshub_outcomes_total{{{_OF}, state="delivered"}}[30m])) /'
                        f" sum(rate(smshub_outcomes_total{{{_OF}, {_KNOWN_ENDS}}}[30m]))"
                    ),
                ),
                stat(
                    "Receipts",
                    "Receipts that came in, a second.",
                    "suffix: /s",
                    Query(
                        f'sum(rate(smshub_callbacks_total{{{_FROM}, kind="receipt", outcome="stored"}}'
                        "[$__rate_interval]))"
                    ),
                ),
                stat(
                    "Receipts wait",
                    "How long receipts wait in the hub, 95 of 100. Well above 1: dispatchers cannot keep up, or there"
                    " is none.",
                    "s",
                    Query(
                        "histogram_quantile(0.95, sum by (le)"
                        f" (rate(smshub_receipt_lag_seconds_bucket{{{_FROM}}}[$__rate_interval])))"
                    ),
                    steps=[(1, ORANGE), (10, RED)],
                ),
                stat(
                    "Refused in an hour",
                    "Calls in a provider's name, in the last hour, that did not prove to be its.",
                    "short",
                    Query(f"sum({grown('smshub_refused_callbacks_total', _FROM, over='1h')})"),
                    steps=[(10, ORANGE), (100, RED)],
                    decimals=0,
                ),
                stat(
                    "Lowest credit",
                    "Of all accounts, in its own currency, as the provider tells it.",
                    "short",
                    Query(f"min(smshub_provider_credit{{{_OF}}})"),
                ),
            ],
            "Calls to providers": [
                series(
                    "What they came to",
                    "`accepted` is sent, `refused` failed for good, `throttled`, `not-sent` and `barred` are tried"
                    " again, `unknown` is asked about.",
                    "reqps",
                    Query(
                        f"sum by (provider, outcome) (rate(smshub_attempts_total{{{_OF}}}[$__rate_interval]))",
                        "{{provider}} {{outcome}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Share that was not taken",
                    "By outcome. `throttled`: a pace or limit is set too high. `not-sent` and `unknown`: the provider"
                    " or the way to it has a fault. `barred`: account or sender. `refused`: numbers and texts.",
                    "percentunit",
                    Query(
                        "sum by (provider, outcome) (rate(smshub_attempts_total"
                        f'{{{_OF}, outcome!="accepted"}}[$__rate_interval])) / on (provider) group_left'
                        f" sum by (provider) (rate(smshub_attempts_total{{{_OF}}}[$__rate_interval]))",
                        "{{provider}} {{outcome}}",
                    ),
                    most=1,
                ),
                series(
                    "How long they take",
                    "A provider that becomes slow holds calls: a dispatcher has `SMSHUB_MOST_IN_FLIGHT` under way at"
                    " most.",
                    "s",
                    *(
                        Query(
                            f"histogram_quantile({quantile}, sum by (le, provider)"
                            f" (rate(smshub_attempt_seconds_bucket{{{_OF}}}[$__rate_interval])))",
                            f"{{{{provider}}}} {name}",
                        )
                        for quantile, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
                    ),
                ),
                heatmap(
                    "How long they take, all",
                    "How many calls took how long.",
                    "s",
                    f"sum by (le) (increase(smshub_attempt_seconds_bucket{{{_OF}}}[$__rate_interval]))",
                ),
                series(
                    "Questions about texts",
                    "What providers answered when they were asked for texts that no word came of. `found` and `not-found`"
                    " settle a text, `cannot-tell` does not.",
                    "suffix: /s",
                    Query(
                        f"sum by (provider, answer) (rate(smshub_enquiries_total{{{_OF}}}[$__rate_interval]))",
                        "{{provider}} {{answer}}",
                    ),
                ).sized(12),
            ],
            "How texts end": [
                series(
                    "Delivered",
                    "Of the texts whose end is known, the share that arrived, in the last half hour. It falls where a"
                    " campaign or sender is filtered.",
                    "percentunit",
                    Query(
                        f'sum by (provider) (rate(smshub_outcomes_total{{{_OF}, state="delivered"}}[30m])) /'
                        f" sum by (provider) (rate(smshub_outcomes_total{{{_OF}, {_KNOWN_ENDS}}}[30m]))",
                        "{{provider}}",
                    ),
                    most=1,
                ),
                series(
                    "Why texts did not arrive",
                    "The ten most frequent reasons; the providers' page explains each.",
                    "suffix: /s",
                    Query(
                        "topk(10, sum by (provider, reason) (rate(smshub_outcomes_total"
                        f'{{{_OF}, state=~"undelivered|failed|expired|blocked"}}[$__rate_interval])))',
                        "{{provider}} {{reason}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Time from sending to the verdict",
                    "How fast provider and carriers are.",
                    "s",
                    *(
                        Query(
                            f"histogram_quantile({quantile}, sum by (le, provider)"
                            f" (rate(smshub_receipt_delay_seconds_bucket{{{_FROM}}}[$__rate_interval])))",
                            f"{{{{provider}}}} {name}",
                        )
                        for quantile, name in ((0.5, "p50"), (0.95, "p95"))
                    ),
                ),
            ],
            "Calls from providers": [
                series(
                    "Callbacks",
                    "Receipts and inbound texts by what became of the call. `repeated` was told before.",
                    "reqps",
                    Query(
                        f"sum by (provider, kind, outcome) (rate(smshub_callbacks_total{{{_FROM}}}[$__rate_interval]))",
                        "{{provider}} {{kind}} {{outcome}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Receipts worked off",
                    "`unknown-delivery`: of texts that are not this hub's, or are deleted.",
                    "suffix: /s",
                    Query(
                        f"sum by (provider, outcome) (rate(smshub_receipts_total{{{_FROM}}}[$__rate_interval]))",
                        "{{provider}} {{outcome}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Receipts wait in the hub",
                    "Until a dispatcher has worked them off.",
                    "s",
                    *(
                        Query(
                            f"histogram_quantile({quantile}, sum by (le, provider)"
                            f" (rate(smshub_receipt_lag_seconds_bucket{{{_FROM}}}[$__rate_interval])))",
                            f"{{{{provider}}}} {name}",
                        )
                        for quantile, name in ((0.5, "p50"), (0.95, "p95"))
                    ),
                ),
                series(
                    "Refused callbacks",
                    "Calls in a provider's name that did not prove to be its, by what was wrong. A few are scanners;"
                    " many are a wrong secret, or somebody who tries.",
                    "short",
                    Query(
                        f"sum by (provider, reason) {grown('smshub_refused_callbacks_total', _FROM)}",
                        "{{provider}} {{reason}}",
                    ),
                ),
                series(
                    "Inbound texts in parts",
                    "Put together by the hub; `incomplete` where parts had not come after five minutes.",
                    "short",
                    Query(
                        f"sum by (provider, outcome) {grown('smshub_joined_inbound_total', _FROM)}",
                        "{{provider}} {{outcome}}",
                    ),
                ),
                series(
                    "Credit",
                    "By account, in its own currency. Without credit all senders of the account are barred.",
                    "short",
                    Query(f"min by (provider, account) (smshub_provider_credit{{{_OF}}})", "{{provider}} {{account}}"),
                    least=None,
                ),
            ],
        },
        variables=[Variable("provider", "Provider", "smshub_attempts_total")],
    )
