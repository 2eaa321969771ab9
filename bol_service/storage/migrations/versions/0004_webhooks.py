"""Webhooks of the parties, and the queue and log of what was sent there."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("party", sa.String(31), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("url", sa.String(1000), nullable=False),
        sa.Column("kinds", sa.Text, nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("since", Number, nullable=False),
        sa.Column("created", sa.String(24), nullable=False),
        sa.Column("paused", sa.String(200)),
        sa.Column("looked_up_to", Number, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("rests_until", sa.String(24), nullable=False),
        sa.Column("served", sa.String(24), nullable=False),
        sa.Column("lease", sa.String(36)),
        sa.Column("leased_until", sa.String(24), nullable=False),
        sa.UniqueConstraint("party", "slot", name="uq_webhooks_slot"),
        sa.UniqueConstraint("party", "url", name="uq_webhooks_url"),
    )
    op.create_table(
        "deliveries",
        sa.Column("webhook", sa.String(36), sa.ForeignKey("webhooks.id"), primary_key=True),
        sa.Column("notice", Number, sa.ForeignKey("notices.number"), primary_key=True),
        sa.Column("stage", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.String(24)),
        sa.Column("tried", sa.String(24)),
        sa.Column("status", sa.Integer),
        sa.Column("fault", sa.String(250)),
        sa.Column("answer", sa.Text),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["webhook", "due", "notice"])
    op.create_index("ix_deliveries_tried", "deliveries", ["tried"])


def downgrade() -> None:
    op.drop_table("deliveries")
    op.drop_table("webhooks")
