"""Senders and pacing: whether each sender is used as fast as it may be, and no text later than it must be."""

from dashboards.grafana import (
    ORANGE,
    RED,
    Column,
    Json,
    Query,
    Variable,
    dashboard,
    grown,
    heatmap,
    series,
    stat,
    table,
)
from dashboards.shared_panels import barred_senders, overdue

_OF = 'HUB, sender=~"$sender"'


def senders() -> Json:
    return dashboard(
        "sms-hub-senders",
        "SMS Hub / Senders and pacing",
        "Whether each sender is used as fast as it may be, and no text leaves later than it must. Senders are shown by"
        " their ids; `smshub senders list` tells whose they are.",
        {
            "Now": [
                overdue(),
                stat(
                    "Segments a second",
                    "What all chosen senders send together.",
                    "suffix: /s",
                    Query(f"sum(rate(smshub_sent_segments_total{{{_OF}}}[$__rate_interval]))"),
                ),
                stat(
                    "Senders with a queue",
                    "Senders that something waits for. They should be as fast as they may be; see “Use of the pace”.",
                    "short",
                    Query(f"count(max by (sender) (smshub_sender_queued_segments{{{_OF}}}) > 0) or vector(0)"),
                ),
                stat(
                    "Segments waiting",
                    "Of all chosen senders. No sign of trouble: they wait for their pace.",
                    "short",
                    Query(f"sum(max by (sender) (smshub_sender_queued_segments{{{_OF}}}))"),
                ),
                stat(
                    "Last is through in",
                    "When the sender with the longest queue will have sent what waits now.",
                    "s",
                    Query(f"max(smshub_sender_completion_seconds{{{_OF}}})"),
                ),
                barred_senders(),
                stat(
                    "Paused senders",
                    "Senders that operators have paused.",
                    "short",
                    Query('max(smshub_paused{HUB, what="sender"})'),
                    steps=[(1, ORANGE)],
                ),
                stat(
                    "Fullest daily cap",
                    "The share that is used of the daily cap that is nearest to its end. At 100 % its senders wait for"
                    " the next day.",
                    "percentunit",
                    Query("max(smshub_daily_cap_used_ratio{HUB})"),
                    steps=[(0.8, ORANGE), (0.95, RED)],
                ),
            ],
            "Pace": [
                series(
                    "Segments sent",
                    "By sender; the ten fastest.",
                    "suffix: /s",
                    Query(
                        f"topk(10, sum by (sender) (rate(smshub_sent_segments_total{{{_OF}}}[$__rate_interval])))",
                        "sender {{sender}}",
                    ),
                    stacked=True,
                ),
                series(
                    "Use of the pace",
                    "What a sender sends, of what it may. Below 100 % is a fault only where something waits, its limits"
                    " leave room and its provider does not throttle; above 100 % for long must not be.",
                    "percentunit",
                    Query(
                        f"topk(10, sum by (sender) (rate(smshub_sent_segments_total{{{_OF}}}[$__rate_interval])) /"
                        f" on (sender) max by (sender) (smshub_sender_rate{{{_OF}}}))",
                        "sender {{sender}}",
                    ),
                ),
                series(
                    "How late senders are",
                    "For how long a sender could have been sent from and was not; the ten latest. Above 1 s: too few"
                    " dispatchers.",
                    "s",
                    Query(f"topk(10, max by (sender) (smshub_sender_late_seconds{{{_OF}}}))", "sender {{sender}}"),
                ),
                series(
                    "Segments that wait",
                    "By sender; the ten longest queues. A queue is no fault: it shrinks by its sender's pace.",
                    "short",
                    Query(f"topk(10, max by (sender) (smshub_sender_queued_segments{{{_OF}}}))", "sender {{sender}}"),
                    stacked=True,
                ),
                series(
                    "Time until the queue is through",
                    "By sender, by its pace and limits, were nothing to come.",
                    "s",
                    Query(
                        f"topk(10, max by (sender) (smshub_sender_completion_seconds{{{_OF}}}))", "sender {{sender}}"
                    ),
                ),
                series(
                    "Daily caps",
                    "The share that is used today. At 100 % what waits goes out the next day.",
                    "percentunit",
                    Query("max by (limit) (smshub_daily_cap_used_ratio{HUB})", "{{limit}}"),
                    most=1,
                ),
            ],
            "Slots": [
                series(
                    "Left after their slot",
                    "How late texts leave, by provider. Some milliseconds are usual.",
                    "s",
                    *(
                        Query(
                            f"histogram_quantile({quantile}, sum by (le, provider)"
                            " (rate(smshub_send_late_seconds_bucket{HUB}[$__rate_interval])))",
                            f"{{{{provider}}}} {name}",
                        )
                        for quantile, name in ((0.5, "p50"), (0.99, "p99"))
                    ),
                ).sized(12),
                heatmap(
                    "Left after their slot, all",
                    "How many texts left how late.",
                    "s",
                    "sum by (le) (increase(smshub_send_late_seconds_bucket{HUB}[$__rate_interval]))",
                ),
            ],
            "What stops and moves": [
                series(
                    "Bars",
                    "How often a provider took nothing from a sender at all, by its reason.",
                    "short",
                    Query(
                        f"sum by (provider, reason) {grown('smshub_sender_bars_total')}",
                        "{{provider}} {{reason}}",
                    ),
                ),
                series(
                    "Taken over by other senders",
                    "Texts that failed over, by the first sender's provider and why it could not send.",
                    "short",
                    Query(
                        f"sum by (provider, reason) {grown('smshub_failovers_total')}",
                        "{{provider}} {{reason}}",
                    ),
                ),
                series(
                    "Handed back and rescued",
                    "Released: claimed, and handed back unsent. Rescued: taken over from dispatchers that were killed."
                    " Both happen at restarts; all the time they are a fault.",
                    "short",
                    Query("sum(increase(smshub_released_total{HUB}[$__rate_interval]))", "released"),
                    Query(f"sum by (state) {grown('smshub_rescued_total')}", "rescued, {{state}}"),
                ),
                series(
                    "Paused and barred",
                    "What operators have paused, and what providers take nothing from.",
                    "short",
                    Query("max by (what) (smshub_paused{HUB})", "paused: {{what}}"),
                    Query("max(smshub_barred_senders{HUB})", "barred senders"),
                ).sized(24, 6),
            ],
            "Each sender": [
                table(
                    "Senders",
                    "Each sender as it is now. `smshub senders list` tells address, provider and programs of an id.",
                    "sender",
                    Column("May send", f"max by (sender) (smshub_sender_rate{{{_OF}}})", "suffix: /s"),
                    Column(
                        "Sends",
                        f"sum by (sender) (rate(smshub_sent_segments_total{{{_OF}}}[$__rate_interval]))",
                        "suffix: /s",
                    ),
                    Column("Waits", f"max by (sender) (smshub_sender_queued_segments{{{_OF}}})", "short"),
                    Column("Through in", f"max by (sender) (smshub_sender_completion_seconds{{{_OF}}})", "s"),
                    Column("Late", f"max by (sender) (smshub_sender_late_seconds{{{_OF}}})", "s"),
                ),
            ],
        },
        variables=[Variable("sender", "Sender", "smshub_sender_rate")],
    )
