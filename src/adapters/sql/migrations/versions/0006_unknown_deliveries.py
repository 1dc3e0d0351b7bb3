"""What is not known to have been sent, by when it was to be: how much that is, and for how long."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_UNKNOWN = sa.text("state = 'unknown'")


def upgrade() -> None:
    op.create_index(
        "ix_deliveries_unknown", "deliveries", ["slot_us"], postgresql_where=_UNKNOWN, sqlite_where=_UNKNOWN
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_unknown", "deliveries")
