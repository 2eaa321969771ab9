"""Applications of those who want to be registered, until the operator has decided."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "registrations",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("party", sa.String(31), nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("refusal", sa.Text),
    )
    op.create_index("ix_registrations_at", "registrations", ["at"])


def downgrade() -> None:
    op.drop_table("registrations")
