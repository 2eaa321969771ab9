"""Checkpoints of other logs that were not shown to continue what we cosigned, with both notes."""

import sqlalchemy as sa
from alembic import op

from bol_service.storage import guards

revision = "0009"
down_revision = "0008"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "disputes",
        sa.Column("origin", sa.String(255), primary_key=True),
        sa.Column("size", Number, primary_key=True, autoincrement=False),
        sa.Column("root", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(10), primary_key=True),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("kept", sa.Text),
        sa.Column("offered", sa.Text, nullable=False),
    )
    guards.put(op.get_bind(), ("disputes",))


def downgrade() -> None:
    op.drop_table("disputes")
