"""PostgreSQL's own pace on this machine: pgbench against the very server that the service uses.

Rows of 1 KB, `-M prepared`, one durable commit each: without any order between the clients, or
with a total order kept the plain way, by locking a head row.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from scripts.local_postgres import LocalPostgres

ROW = "x" * 1024
SCHEMA = """
CREATE TABLE plain (id bigserial PRIMARY KEY, body text NOT NULL);
CREATE TABLE ordered (idx bigint PRIMARY KEY, body text NOT NULL);
CREATE TABLE head (id int PRIMARY KEY, size bigint NOT NULL);
INSERT INTO head VALUES (1, 0);
"""
UNORDERED = "INSERT INTO plain (body) VALUES (:body);\n"
ORDERED = """
BEGIN;
SELECT size FROM head WHERE id = 1 FOR UPDATE \\gset
INSERT INTO ordered (idx, body) VALUES (:size, :body);
UPDATE head SET size = size + 1 WHERE id = 1;
COMMIT;
"""


class PgbenchFailed(RuntimeError):  # noqa: N818 - says what happened
    """pgbench did not do what it was asked for; the message ends with its words."""


@dataclass(frozen=True, kw_only=True)
class Pgbench:
    """Make it with `prepared`; `name` says which program it is."""

    server: LocalPostgres
    folder: Path
    database: str
    clients: int
    seconds: int

    @property
    def name(self) -> str:
        return f"pgbench of the development wheel, {self.clients} clients, {self.seconds} s"

    def settle(self) -> None:
        """All that was written before is on the disk, and slows down nobody who comes next."""
        with _connected(self.server, self.database) as connection:
            connection.execute("CHECKPOINT")
        os.sync()

    def commits(self, script: str) -> float:
        """Commits per second of `script`; raises PgbenchFailed."""
        path = self.folder / "pgbench.sql"
        path.write_text(script, encoding="ascii")
        command = [str(self.server.programs / "pgbench"), "-n", "-M", "prepared", "-f", str(path)]
        command += [
            "-c",
            str(self.clients),
            "-j",
            "2",
            "-T",
            str(self.seconds),
            "-D",
            f"body={ROW}",
        ]
        command += ["-h", str(self.server.folder), "-p", str(self.server.port)]
        command += ["-U", self.server.user, self.database]
        environment = os.environ | {"PGPASSWORD": self.server.password}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        found = re.search(r"tps = ([0-9.]+)", done.stdout)
        failed = re.search(r"number of failed transactions: ([0-9]+)", done.stdout)
        if done.returncode != 0 or found is None or (failed and int(failed[1])):
            raise PgbenchFailed(f"pgbench ended with {done.returncode}: {done.stdout}{done.stderr}")
        return float(found[1])


def prepared(server: LocalPostgres, folder: Path, *, clients: int, seconds: int) -> Pgbench:
    """Tables of its own in a fresh database of `server`."""
    database = "pgbench"
    server.create_database(database)
    with _connected(server, database) as connection:
        connection.execute(SCHEMA)
    return Pgbench(
        server=server, folder=folder, database=database, clients=clients, seconds=seconds
    )


def _connected(server: LocalPostgres, database: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        host=str(server.folder),
        port=server.port,
        user=server.user,
        password=server.password,
        dbname=database,
    )
