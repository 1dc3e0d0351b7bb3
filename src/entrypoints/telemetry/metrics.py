"""The hub's metrics. `docs/metrics.md` explains each; labels take few values, and none of them is personal."""

from math import nan

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from entrypoints.telemetry.tally import Tally

_CALL_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TEXTS = (1, 2, 5, 10, 20, 50, 100, 250)
_WAIT_SECONDS = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)
_LATE_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_DELAY_SECONDS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400)


class Metrics:
    def __init__(self) -> None:
        # One more series for each of ours, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.http_requests = Counter(
            "smshub_http_requests", "Requests by operation and status.", ["operation", "status"], registry=self.registry
        )
        self.http_seconds = Histogram(
            "smshub_http_request_seconds",
            "How long requests took.",
            ["operation"],
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )
        self.accepted_messages = Counter(
            "smshub_accepted_messages", "Messages that were stored.", registry=self.registry
        )
        self.accepted_deliveries = Counter(
            "smshub_accepted_deliveries",
            "Deliveries that were stored, by their first state.",
            ["state"],
            registry=self.registry,
        )
        self.accepted_segments = Tally(
            "smshub_accepted_segments", "Segments that were accepted, by program.", ["program"], registry=self.registry
        )
        self.replayed_messages = Counter(
            "smshub_replayed_messages",
            "Requests answered as an earlier one with the same key.",
            registry=self.registry,
        )
        self.texts_per_commit = Histogram(
            "smshub_texts_per_commit",
            "How many messages were stored in one transaction.",
            buckets=_TEXTS,
            registry=self.registry,
        )
        self.attempts = Tally(
            "smshub_attempts", "Calls to providers by outcome class.", ["provider", "outcome"], registry=self.registry
        )
        self.attempt_seconds = Histogram(
            "smshub_attempt_seconds",
            "How long calls to providers took.",
            ["provider"],
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )
        self.late_seconds = Histogram(
            "smshub_send_late_seconds",
            "How long after its slot a text was sent.",
            ["provider"],
            buckets=_LATE_SECONDS,
            registry=self.registry,
        )
        self.bars = Counter(
            "smshub_sender_bars",
            "How often a provider took nothing from a sender at all, by its reason.",
            ["provider", "reason"],
            registry=self.registry,
        )
        self.barred_senders = Gauge(
            "smshub_barred_senders", "Senders that their providers take nothing from.", registry=self.registry
        )
        self.paused = Gauge(
            "smshub_paused", "What an operator has paused, by its kind.", ["what"], registry=self.registry
        )
        self.overdue_seconds = Gauge(
            "smshub_overdue_seconds",
            "For how long the longest waiting sender could have been claimed from.",
            registry=self.registry,
        )
        self.outcomes = Tally(
            "smshub_outcomes",
            "Deliveries that came to rest in a state, by why they did.",
            ["provider", "state", "reason"],
            registry=self.registry,
        )
        self.sent_segments = Tally(
            "smshub_sent_segments", "Segments that providers took, by sender.", ["sender"], registry=self.registry
        )
        self.sender_rate = self._gauge_by_sender("smshub_sender_rate", "Segments a second that a sender may send.")
        self.sender_queued = self._gauge_by_sender("smshub_sender_queued_segments", "What waits to be sent now.")
        self.sender_late = self._gauge_by_sender(
            "smshub_sender_late_seconds", "For how long the sender's next text could have left."
        )
        self.sender_completion = self._gauge_by_sender(
            "smshub_sender_completion_seconds", "In how long all that waits now will have left, as it looks."
        )
        self.queued_deliveries = Gauge(
            "smshub_queued_deliveries",
            "Deliveries that something is still to become of, by state.",
            ["state"],
            registry=self.registry,
        )
        self.oldest_unknown_seconds = Gauge(
            "smshub_oldest_unknown_seconds",
            "How long ago the oldest unknown delivery was to go.",
            registry=self.registry,
        )
        self.daily_cap_used = Gauge(
            "smshub_daily_cap_used_ratio",
            "How much of today's allowance of a limit is used, from 0 to 1.",
            ["limit"],
            registry=self.registry,
        )
        self.budget_used = Gauge(
            "smshub_budget_used_ratio",
            "How much of a program's budget for the day or month is used, from 0 to 1.",
            ["program"],
            registry=self.registry,
        )
        self.budget_refusals = Counter(
            "smshub_budget_refusals",
            "Requests that were refused since their program's budget is used.",
            registry=self.registry,
        )
        self.dispatchers = Gauge(
            "smshub_dispatchers", "Dispatchers that were heard of within three seconds.", registry=self.registry
        )
        self.heartbeat_age_seconds = Gauge(
            "smshub_heartbeat_age_seconds",
            "Since this process's dispatcher last said that it is alive.",
            registry=self.registry,
        )
        self.heartbeat_age_seconds.set(nan)  # Where there is no dispatcher, it has no age.
        self.database_connections = Gauge(
            "smshub_database_connections",
            "Connections of this process to the database, by whether they are in use.",
            ["state"],
            registry=self.registry,
        )
        self.database_wait_seconds = Histogram(
            "smshub_database_wait_seconds",
            "How long a connection to the database was waited for.",
            buckets=_WAIT_SECONDS,
            registry=self.registry,
        )
        self.provider_credit = Gauge(
            "smshub_provider_credit",
            "What a provider has said is left of an account's credit, in its own currency.",
            ["provider", "account"],
            registry=self.registry,
        )
        self.failovers = Counter(
            "smshub_failovers",
            "Deliveries that another sender took over, by the first one's provider and why it could not send.",
            ["provider", "reason"],
            registry=self.registry,
        )
        self.released = Counter(
            "smshub_released", "Claimed deliveries that were handed back unsent.", registry=self.registry
        )
        self.rescued = Counter(
            "smshub_rescued",
            "Deliveries taken over from dispatchers that are gone, by their new state.",
            ["state"],
            registry=self.registry,
        )
        self.enquiries = Counter(
            "smshub_enquiries",
            "Questions to providers about deliveries, by answer.",
            ["provider", "answer"],
            registry=self.registry,
        )
        self.callbacks = Counter(
            "smshub_callbacks",
            "Calls of providers by what became of them.",
            ["provider", "kind", "outcome"],
            registry=self.registry,
        )
        self.refused_callbacks = Counter(
            "smshub_refused_callbacks",
            "Calls in a provider's name that did not prove to be its, by what was wrong.",
            ["provider", "reason"],
            registry=self.registry,
        )
        self.inbound_messages = Counter(
            "smshub_inbound_messages",
            "Texts of people's by what came of them, and what they were taken for.",
            ["provider", "outcome", "keyword"],
            registry=self.registry,
        )
        self.joined_inbound = Counter(
            "smshub_joined_inbound",
            "Inbound texts that came in parts and were put together.",
            ["provider", "outcome"],
            registry=self.registry,
        )
        self.receipts = Counter(
            "smshub_receipts", "Receipts by what came of them.", ["provider", "outcome"], registry=self.registry
        )
        self.receipt_lag_seconds = Histogram(
            "smshub_receipt_lag_seconds",
            "How long receipts waited in the hub.",
            ["provider"],
            buckets=_CALL_SECONDS,
            registry=self.registry,
        )
        self.receipt_delay_seconds = Histogram(
            "smshub_receipt_delay_seconds",
            "How long after a text was sent its verdict came.",
            ["provider"],
            buckets=_DELAY_SECONDS,
            registry=self.registry,
        )
        self.store_unavailable = Counter(
            "smshub_store_unavailable", "How often the database did not answer.", registry=self.registry
        )
        self.unknown_settings = Gauge(
            "smshub_unknown_settings",
            "SMSHUB_ variables in the environment that are no settings.",
            registry=self.registry,
        )
        self.build = Gauge("smshub_build_info", "The version that runs.", ["version"], registry=self.registry)
        self._tell_of_webhooks()

    def _tell_of_webhooks(self) -> None:
        self.webhook_attempts = Counter(
            "smshub_webhook_attempts",
            "Calls to programs' webhooks by what they came to.",
            ["outcome"],
            registry=self.registry,
        )
        self.disabled_webhooks = Counter(
            "smshub_disabled_webhooks",
            "Webhooks that the hub has ceased to call, by why.",
            ["reason"],
            registry=self.registry,
        )
        self.webhook_events_waiting = Gauge(
            "smshub_webhook_events_waiting", "Events that webhooks are to be told as yet.", registry=self.registry
        )
        self.oldest_webhook_event_seconds = Gauge(
            "smshub_oldest_webhook_event_seconds",
            "How long ago the oldest of them happened.",
            registry=self.registry,
        )

    def _gauge_by_sender(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, ["sender"], registry=self.registry)
