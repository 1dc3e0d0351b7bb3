"""What groups of staff may do, and which person sent a message."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OF_OPERATORS = sa.text("program_id IS NULL")


def upgrade() -> None:
    op.create_table(
        "staff_roles",
        sa.Column("id", _ID, sa.Identity(), primary_key=True),
        sa.Column("group_name", sa.Text(), nullable=False),
        sa.Column("program_id", sa.Text()),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint("(role = 'operator') = (program_id IS NULL)", name=op.f("ck_staff_roles_role_has_program")),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_staff_roles_program_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_roles")),
    )
    op.create_index("ix_staff_roles_program", "staff_roles", ["program_id", "group_name"], unique=True)
    op.create_index(
        "ix_staff_roles_operators",
        "staff_roles",
        ["group_name"],
        unique=True,
        postgresql_where=_OF_OPERATORS,
        sqlite_where=_OF_OPERATORS,
    )
    op.add_column("text_messages", sa.Column("sent_by", sa.Text()))


def downgrade() -> None:
    op.drop_column("text_messages", "sent_by")
    op.drop_table("staff_roles")
