"""Templates: texts with placeholders, and which of them a message was made from."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "templates",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("versions", sa.Integer(), nullable=False),
        sa.Column("retired_us", sa.BigInteger()),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"], name=op.f("fk_templates_program_id")),
        sa.PrimaryKeyConstraint("program_id", "folded_name", name=op.f("pk_templates")),
    )
    op.create_table(
        "template_versions",
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("folded_name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_id", "folded_name"],
            ["templates.program_id", "templates.folded_name"],
            name=op.f("fk_template_versions_program_id_folded_name"),
        ),
        sa.PrimaryKeyConstraint("program_id", "folded_name", "number", name=op.f("pk_template_versions")),
    )
    op.add_column("text_messages", sa.Column("template", sa.Text()))
    op.add_column("text_messages", sa.Column("template_version", sa.Integer()))


def downgrade() -> None:
    op.drop_column("text_messages", "template_version")
    op.drop_column("text_messages", "template")
    op.drop_table("template_versions")
    op.drop_table("templates")
