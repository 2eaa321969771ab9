"""Three nodes of etcd, Patroni and PostgreSQL on loopback: python -m ops.ha.cluster up

1. `up` makes a cluster in a fresh folder, waits until a primary has a synchronous standby, makes
   the roles of docs/adr/0021 and prints the two database URLs.
2. `status` shows the members; `kill-leader` sends SIGKILL to the primary's Patroni and to each of
   its PostgreSQL processes, as if the machine was gone; `revive` starts what is dead.
3. `down` ends everything that `up` started, by process id.

PostgreSQL is the system's, where `--programs` names it, or the development wheel's. It refuses to
run as root; root's nodes run as `nobody`.

This shows on one machine what a cluster does. For production: one node per machine or zone, TLS,
authentication of etcd, a watchdog, backups (docs/operations.md, High availability).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from ops.ha.layout import (
    DATABASE,
    OWNER,
    SERVICE,
    Layout,
    Node,
    new_layout,
    read_layout,
    write_private,
)
from ops.ha.programs import (
    PATRONI,
    ROOT,
    ClusterError,
    children,
    end,
    find_etcd,
    find_python,
    install_patroni,
    run,
)
from scripts.local_postgres import PostgresFailed, account_to_run_as, programs_in

ROLES = ROOT / "ops" / "postgresql" / "roles.sh"
PATIENCE = 120.0  # seconds


@dataclass(kw_only=True)
class Cluster:
    """A cluster in its folder; other processes may start and end parts of it meanwhile."""

    layout: Layout
    etcd: str
    python: str
    account: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.layout.folder

    def start(self) -> None:
        """Start what does not run; return when a primary has a synchronous standby."""
        for node in self.layout.nodes:
            self._start(f"{node.name}-etcd", self.layout.etcd(node, self.etcd))
        for node in self.layout.nodes:
            configuration = str(self.folder / node.name / "patroni.yml")
            self._start(f"{node.name}-patroni", [self.python, "-m", "patroni", configuration])
        self.await_members(_has_standby)

    def members(self) -> list[dict[str, Any]]:
        """The members as Patroni sees them; empty while no node answers."""
        for node in self.layout.nodes:
            try:
                with urlopen(f"http://127.0.0.1:{node.rest}/cluster", timeout=3) as answer:
                    members: list[dict[str, Any]] = json.load(answer)["members"]
            except (URLError, OSError, ValueError):
                continue
            return members
        return []

    def await_members(self, wanted: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Raises ClusterError with what the members are instead."""
        deadline = time.monotonic() + PATIENCE
        while not wanted(members := self.members()):
            if time.monotonic() > deadline:
                raise ClusterError(
                    f"after {PATIENCE:.0f} s the members are {members}; the logs are in "
                    f"{self.folder}"
                )
            time.sleep(0.2)

    def leader(self) -> Node:
        for node in self.layout.nodes:
            try:
                with urlopen(f"http://127.0.0.1:{node.rest}/primary", timeout=3):
                    return node
            except (URLError, OSError):
                continue
        raise ClusterError(f"no node is the primary; the members are {self.members()}")

    def kill_leader(self) -> Node:
        """SIGKILL to the primary's Patroni and all its PostgreSQL processes."""
        node = self.leader()
        first = self.folder / node.name / "data" / "postmaster.pid"
        postmaster = int(first.read_text(encoding="ascii").split()[0])
        end([self._pid(f"{node.name}-patroni")], signal.SIGKILL)
        os.kill(postmaster, signal.SIGSTOP)  # from here on it starts no other child
        orphans = children(postmaster)
        end([postmaster, *orphans], signal.SIGKILL)
        return node

    def stop(self) -> None:
        """End Patroni (which ends its PostgreSQL) and then etcd."""
        for part, gently in (("patroni", signal.SIGTERM), ("etcd", signal.SIGTERM)):
            pids = [self._pid(f"{node.name}-{part}") for node in self.layout.nodes]
            end([pid for pid in pids if self._alive(pid)], gently)
        for node in self.layout.nodes:
            left = self.folder / node.name / "data" / "postmaster.pid"
            if left.exists():
                pid = int(left.read_text(encoding="ascii").split()[0])
                if self._alive(pid):
                    end([pid], signal.SIGQUIT)

    def make_roles(self) -> None:
        """An empty database with its owner and the service's role."""
        environment = {
            "PATH": f"{self.layout.programs}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.leader().postgresql),  # a standby may not know the database yet
            "PGPASSWORD": self.layout.passwords["superuser"],
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": DATABASE,
        }
        for role, variable in ((OWNER, "OWNER_PASSWORD_FILE"), (SERVICE, "SERVICE_PASSWORD_FILE")):
            secret = self.folder / f"{role}.password"
            write_private(secret, self.layout.passwords[role])
            write_private(self.layout.passfile(role), self.layout.passfile_lines(role))
            environment[variable] = str(secret)
        made = f"CREATE DATABASE {DATABASE}"
        run(["psql", "-U", "postgres", "-d", "postgres", "-qc", made], environment)
        run(["sh", str(ROLES)], environment)

    def _start(self, name: str, command: list[str]) -> None:
        if self._alive(self._pid(name)):
            return
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.folder / "site"),
            "LC_ALL": "C.UTF-8",
        }
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                env=environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self.account,
            )
        (self.folder / f"{name}.pid").write_text(str(process.pid), encoding="ascii")

    def _pid(self, name: str) -> int:
        try:
            return int((self.folder / f"{name}.pid").read_text(encoding="ascii"))
        except FileNotFoundError:
            return 0

    def _alive(self, pid: int) -> bool:
        """Whether it is a process of this cluster: numbers are used again."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False
        return str(self.folder).encode() in words


# -- making one ----------------------------------------------------------------------------------


def create(folder: Path, programs: Path | None = None) -> Cluster:
    """Start a new cluster in `folder`, which must not exist; raises ClusterError."""
    etcd, account = find_etcd(), account_to_run_as() or {}
    python = find_python(bool(account))
    install_patroni()
    folder.mkdir(mode=0o711)  # `nobody` passes through it, but cannot list it
    try:
        programs = programs or programs_in(folder, account or None)
    except PostgresFailed as failure:
        raise ClusterError(f"{failure}; or name the system's programs with --programs") from None
    shutil.copytree(PATRONI, folder / "site", dirs_exist_ok=True)
    layout = new_layout(folder, programs)
    layout.save()
    for node in layout.nodes:
        _make_node(layout, node, account)
    cluster = Cluster(layout=layout, etcd=etcd, python=python, account=account)
    try:
        cluster.start()
        cluster.make_roles()
    except BaseException:
        cluster.stop()
        raise
    return cluster


def existing(folder: Path) -> Cluster:
    """The cluster that `create` made in `folder`; raises ClusterError."""
    try:
        layout = read_layout(folder)
    except FileNotFoundError:
        raise ClusterError(f"there is no cluster in {folder}; make one with: up") from None
    account = account_to_run_as() or {}
    return Cluster(
        layout=layout, etcd=find_etcd(), python=find_python(bool(account)), account=account
    )


def remove(folder: Path) -> None:
    """Everything of a cluster that was stopped; raises ClusterError if it is none's folder."""
    if not (folder / "cluster.json").exists():
        raise ClusterError(f"{folder} is not a cluster's; it stays")
    shutil.rmtree(folder)


def _make_node(layout: Layout, node: Node, account: dict[str, Any]) -> None:
    home = layout.folder / node.name
    home.mkdir(mode=0o700)
    write_private(home / "patroni.yml", layout.patroni(node))
    if account:
        for path in (home, home / "patroni.yml"):
            os.chown(path, account["user"], account["group"])


def _has_standby(members: list[dict[str, Any]]) -> bool:
    """A primary, a synchronous standby, and every member running."""
    roles = [member["role"] for member in members]
    states = {member["state"] for member in members}
    return (
        len(members) == 3
        and "leader" in roles
        and "sync_standby" in roles
        and states <= {"running", "streaming"}
    )


# -- command line --------------------------------------------------------------------------------


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.ha.cluster", description=__doc__)
    parser.add_argument("command", choices=("up", "status", "kill-leader", "revive", "down"))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "bol-ha")
    parser.add_argument("--programs", type=Path, help="folder with initdb, postgres, pg_rewind …")
    asked = parser.parse_args(arguments)
    try:
        _obey(asked.command, asked.folder, asked.programs)
    except ClusterError as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


def _obey(command: str, folder: Path, programs: Path | None) -> None:
    if command == "up":
        if folder.exists():
            raise ClusterError(f"{folder} exists; start it again with revive, or end it with down")
        made = create(folder, programs)
        print(f"owner    {made.layout.url(OWNER)}\nservice  {made.layout.url(SERVICE)}")
        return
    cluster = existing(folder)
    if command == "kill-leader":
        print(f"killed {cluster.kill_leader().name}")
    elif command == "revive":
        cluster.start()
    elif command == "down":
        cluster.stop()
        remove(folder)
        return
    for member in cluster.members():
        print(
            "  ".join(str(member.get(name, "")) for name in ("name", "role", "state", "timeline"))
        )


if __name__ == "__main__":
    sys.exit(main())
