"""Programs that are deleted: nobody finds them, and they go when their record does."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("programs", sa.Column("deleted_us", sa.BigInteger()))


def downgrade() -> None:
    op.drop_column("programs", "deleted_us")
