"""Cosignatures under our checkpoints, and the checkpoints of other logs that we cosigned."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "cosignatures",
        sa.Column("size", Number, sa.ForeignKey("checkpoints.size"), primary_key=True),
        sa.Column("witness", sa.String(300), primary_key=True),
        sa.Column("line", sa.Text, nullable=False),
    )
    op.create_index("ix_cosignatures_witness", "cosignatures", ["witness", "size"])
    op.create_table(
        "witnessed",
        sa.Column("origin", sa.String(255), primary_key=True),
        sa.Column("size", Number, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgresql_triggers()


def _sqlite_triggers() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER cosignatures_no_{verb.lower()} BEFORE {verb} ON cosignatures BEGIN "
            "SELECT RAISE(ABORT, 'cosignatures is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER witnessed_only_grows BEFORE UPDATE ON witnessed "
        "WHEN NEW.size < OLD.size OR NEW.origin <> OLD.origin "
        "OR (NEW.size = OLD.size AND NEW.root <> OLD.root) BEGIN "
        "SELECT RAISE(ABORT, 'what was cosigned only grows'); END"
    )
    op.execute(
        "CREATE TRIGGER witnessed_stays BEFORE DELETE ON witnessed BEGIN "
        "SELECT RAISE(ABORT, 'what was cosigned only grows'); END"
    )


def _postgresql_triggers() -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER cosignatures_no_{verb.lower()} BEFORE {verb} ON cosignatures "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
    for table in ("cosignatures", "witnessed"):
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(
        "CREATE FUNCTION refuse_turning_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF TG_OP = 'DELETE' OR NEW.size < OLD.size OR NEW.origin <> OLD.origin "
        "OR (NEW.size = OLD.size AND NEW.root <> OLD.root) THEN "
        "RAISE EXCEPTION 'what was cosigned only grows'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER witnessed_only_grows BEFORE UPDATE OR DELETE ON witnessed "
        "FOR EACH ROW EXECUTE FUNCTION refuse_turning_back()"
    )


def downgrade() -> None:
    op.drop_table("witnessed")
    op.drop_table("cosignatures")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION refuse_turning_back()")
