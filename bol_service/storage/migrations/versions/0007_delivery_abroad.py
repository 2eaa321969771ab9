"""What the delivery of a bill on another platform needs: who is reached through which peer, the
evidence that is offered to peers, and the evidence that was received from them (docs/adr/0030)."""

import sqlalchemy as sa
from alembic import op

from bol_service.storage import guards

revision = "0007"
down_revision = "0006"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    _at_home()
    _abroad()
    guards.put(op.get_bind(), ("peer_applications", "kept_checkpoints"))


def _at_home() -> None:
    op.create_table(
        "peer_applications",
        sa.Column("number", Number, primary_key=True, autoincrement=True),
        sa.Column("platform", sa.String(4), nullable=False),
        sa.Column("name", sa.String(31), nullable=False),
        sa.Column("party", sa.String(31), nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("application", sa.Text, nullable=False),
        sa.Column("at", sa.String(24), nullable=False),
        sa.UniqueConstraint("kid", name="uq_peer_applications_kid"),
    )
    op.create_index("ix_peer_applications_party", "peer_applications", ["party"])
    op.create_index("ix_peer_applications_name", "peer_applications", ["platform", "name"])
    op.create_table(
        "evidence_followed",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("size", Number, nullable=False),
    )
    op.create_table(
        "evidence_offers",
        sa.Column("platform", sa.String(4), primary_key=True),
        sa.Column("bill", sa.String(64), primary_key=True),
        sa.Column("reader", sa.String(31), primary_key=True),
        sa.Column("asked", Number, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", sa.String(24)),
        sa.Column("leased_until", sa.String(24), nullable=False),
        sa.Column("seen", sa.String(64)),
        sa.Column("fault", sa.String(250)),
    )
    op.create_index("ix_evidence_offers_due", "evidence_offers", ["due"])


def _abroad() -> None:
    op.create_table(
        "parties_abroad",
        sa.Column("party", sa.String(31), primary_key=True),
        sa.Column("platform", sa.String(4), primary_key=True),
        sa.Column("name", sa.String(31), primary_key=True),
        sa.Column("at", sa.String(24), nullable=False),
    )
    op.create_table(
        "kept_evidence",
        sa.Column("platform", sa.String(4), primary_key=True),
        sa.Column("bill", sa.String(64), primary_key=True),
        sa.Column("reader", sa.String(31), primary_key=True),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("size", Number, nullable=False),
        sa.Column("cover", sa.Text, nullable=False),
        sa.Column("bundle", sa.LargeBinary, nullable=False),
        sa.Column("received", sa.String(24), nullable=False),
    )
    op.create_index("ix_kept_evidence_reader", "kept_evidence", ["reader", "platform"])
    op.create_table(
        "kept_boxes",
        sa.Column("container", sa.String(11), primary_key=True),
        sa.Column("platform", sa.String(4), primary_key=True),
        sa.Column("bill", sa.String(64), primary_key=True),
        sa.Column("reader", sa.String(31), primary_key=True),
    )
    op.create_table(
        "kept_checkpoints",
        sa.Column("platform", sa.String(4), primary_key=True),
        sa.Column("size", Number, primary_key=True, autoincrement=False),
        sa.Column("root", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    for table in (
        *("kept_checkpoints", "kept_boxes", "kept_evidence", "parties_abroad"),
        *("evidence_offers", "evidence_followed", "peer_applications"),
    ):
        op.drop_table(table)
