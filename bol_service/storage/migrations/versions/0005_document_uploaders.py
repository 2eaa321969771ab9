"""Everybody who has uploaded a document's bytes may read them back, not only the first.

Until now the row of the document named one uploader; those are carried over.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "document_uploaders",
        sa.Column("digest", sa.String(64), sa.ForeignKey("documents.digest"), primary_key=True),
        sa.Column("party", sa.String(31), primary_key=True),
    )
    op.execute(
        "INSERT INTO document_uploaders (digest, party) SELECT digest, uploaded_by FROM documents"
    )


def downgrade() -> None:
    op.drop_table("document_uploaders")
