"""Failover between a program's senders, in the order in which they were added."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_RETRIED = sa.text("state = 'scheduled' AND failures > 0")


def _no(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def upgrade() -> None:
    op.add_column("programs", _no("failover"))
    op.add_column("text_messages", _no("sender_named"))
    place = sa.Column("place", sa.SmallInteger(), server_default=sa.text("0"), nullable=False)
    op.add_column("program_senders", place)
    op.create_index(
        "ix_deliveries_retried",
        "deliveries",
        ["sender_id", "program_id", "reason", "failures"],
        postgresql_where=_RETRIED,
        sqlite_where=_RETRIED,
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_retried", "deliveries")
    op.drop_column("program_senders", "place")
    op.drop_column("text_messages", "sender_named")
    op.drop_column("programs", "failover")
