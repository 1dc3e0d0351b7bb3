"""What a program may spend: countries, budgets, texts to one number; prices, and what was sent by day."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_OF_PROGRAMS = (
    "daily_segments",
    "monthly_segments",
    "recipients_per_request",
    "per_recipient_texts",
    "per_recipient_s",
)


def _counter(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def upgrade() -> None:
    op.add_column("programs", sa.Column("countries", sa.Text()))
    for name in _OF_PROGRAMS:
        op.add_column("programs", sa.Column(name, sa.BigInteger()))
    op.add_column("programs", sa.Column("budget_zone", sa.Text(), server_default=sa.text("'UTC'"), nullable=False))
    op.create_table(
        "budget_uses",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        _counter("used"),
        sa.Column("told", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        _counter("since_us"),
        _counter("until_us"),
        sa.PrimaryKeyConstraint("program_id", "period", name=op.f("pk_budget_uses")),
    )
    op.create_index("ix_budget_uses_until_us", "budget_uses", ["until_us"])
    op.create_table(
        "prices",
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("country", name=op.f("pk_prices")),
    )
    op.create_table(
        "past_usage",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        _counter("messages"),
        _counter("deliveries"),
        _counter("segments"),
        sa.PrimaryKeyConstraint("program_id", "day", "sender_id", "state", "country", name=op.f("pk_past_usage")),
    )


def downgrade() -> None:
    op.drop_table("past_usage")
    op.drop_table("prices")
    op.drop_table("budget_uses")
    op.drop_column("programs", "budget_zone")
    for name in reversed(_OF_PROGRAMS):
        op.drop_column("programs", name)
    op.drop_column("programs", "countries")
