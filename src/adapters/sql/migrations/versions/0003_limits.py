"""Limits that senders share, provider accounts with credentials, fair order, pauses, bars, retention."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_QUEUED = sa.text("state = 'queued'")


def _big(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger())


def _small(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), server_default=sa.text("0"), nullable=False)


def _line(columns: list[str]) -> None:
    op.create_index("ix_deliveries_line", "deliveries", columns, postgresql_where=_QUEUED, sqlite_where=_QUEUED)


def upgrade() -> None:
    op.create_table(
        "limits",
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent_id", _ID),
        sa.Column("counts", sa.Text(), nullable=False),
        _big("pace_numerator"),
        _big("pace_denominator"),
        sa.Column("taken", sa.Text(), server_default=sa.text("'[]'"), nullable=False),
        _big("daily"),
        sa.Column("zone", sa.Text()),
        _big("day"),
        sa.Column("used", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("counts IN ('requests', 'segments')", name=op.f("ck_limits_counts_known")),
        sa.ForeignKeyConstraint(["parent_id"], ["limits.id"], name="fk_limits_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_limits"),
        sa.UniqueConstraint("name", name="uq_limits_name"),
    )
    op.create_table(
        "hub",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        _big("paused_us"),
        sa.PrimaryKeyConstraint("id", name="pk_hub"),
    )
    op.execute("INSERT INTO hub (id) VALUES (1)")
    op.add_column("provider_accounts", sa.Column("credentials", sa.LargeBinary()))
    op.add_column("provider_accounts", sa.Column("limit_id", _ID))
    op.add_column("senders", sa.Column("limit_id", _ID))
    op.add_column("senders", sa.Column("backlog_us", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("senders", sa.Column("turns", sa.Text()))
    op.add_column("senders", _big("paused_us"))
    op.add_column("senders", sa.Column("bar_reason", sa.Text()))
    op.add_column("senders", _small("bars"))
    op.add_column("programs", _big("paused_us"))
    op.add_column("programs", _big("retention_s"))
    op.add_column("programs", sa.Column("on_unknown", sa.Text(), server_default=sa.text("'leave'"), nullable=False))
    op.add_column("text_messages", _big("estimated_us"))
    op.add_column("deliveries", _small("resends"))
    op.drop_index("ix_deliveries_line", "deliveries")
    _line(["sender_id", "priority", "program_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_deliveries_line", "deliveries")
    _line(["sender_id", "priority", "id"])
    op.drop_column("deliveries", "resends")
    op.drop_column("text_messages", "estimated_us")
    for name in ("on_unknown", "retention_s", "paused_us"):
        op.drop_column("programs", name)
    for name in ("bars", "bar_reason", "paused_us", "turns", "backlog_us", "limit_id"):
        op.drop_column("senders", name)
    for name in ("limit_id", "credentials"):
        op.drop_column("provider_accounts", name)
    op.drop_table("hub")
    op.drop_table("limits")
