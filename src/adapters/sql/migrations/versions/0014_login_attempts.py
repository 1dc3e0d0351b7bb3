"""How often somebody tried to log in, for all processes."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "login_attempts",
        sa.Column("who", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("ends_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("who", name=op.f("pk_login_attempts")),
    )
    op.create_index("ix_login_attempts_ends_us", "login_attempts", ["ends_us"])


def downgrade() -> None:
    op.drop_table("login_attempts")
