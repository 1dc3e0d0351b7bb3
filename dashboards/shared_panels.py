"""What more than one dashboard shows."""

from dashboards.grafana import ORANGE, RED, Panel, Query, stat


def overdue() -> Panel:
    return stat(
        "Overdue",
        "For how long the longest waiting sender could have been sent from. Above 1: too few dispatchers, or none.",
        "s",
        Query("max(smshub_overdue_seconds{HUB})"),
        steps=[(1, ORANGE), (5, RED)],
        decimals=1,
    )


def barred_senders() -> Panel:
    return stat(
        "Barred senders",
        "Senders that their providers take nothing from. `/readyz` names them and tells why.",
        "short",
        Query("max(smshub_barred_senders{HUB})"),
        steps=[(1, RED)],
    )
