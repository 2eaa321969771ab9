"""What the nodes of a cluster are and what their configuration says; starts nothing.

Three nodes, each an etcd member and a Patroni member with its PostgreSQL, all on loopback. Ports
are whatever is free when the cluster is made; they and the passwords stay in `cluster.json` of the
cluster's folder, which only its user can read.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from string import Template

from scripts.local_postgres import free_port

NAMES = ("node1", "node2", "node3")
DATABASE = "bol"
OWNER, SERVICE = "bol_owner", "bol_service"
TEMPLATE = Path(__file__).with_name("patroni.yml")


@dataclass(frozen=True, kw_only=True)
class Node:
    """The ports of one node."""

    name: str
    etcd: int = field(default_factory=free_port)
    etcd_peer: int = field(default_factory=free_port)
    rest: int = field(default_factory=free_port)
    postgresql: int = field(default_factory=free_port)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where everything is, and the passwords."""

    folder: Path
    programs: Path
    nodes: tuple[Node, ...]
    passwords: dict[str, str] = field(repr=False)

    def etcd(self, node: Node, program: str) -> list[str]:
        """The command of the node's etcd."""
        here = f"http://127.0.0.1:{node.etcd}"
        peer = f"http://127.0.0.1:{node.etcd_peer}"
        cluster = ",".join(f"{each.name}=http://127.0.0.1:{each.etcd_peer}" for each in self.nodes)
        options = {
            "name": node.name,
            "data-dir": str(self.folder / node.name / "etcd"),
            "listen-client-urls": here,
            "advertise-client-urls": here,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": cluster,
            "initial-cluster-token": self.folder.name,
            # A slow disk that several nodes share must not look like a dead leader.
            "heartbeat-interval": "250",
            "election-timeout": "2500",
        }
        return [program, *(f"--{name}={value}" for name, value in options.items())]

    def patroni(self, node: Node) -> str:
        """The node's patroni.yml."""
        return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
            name=node.name,
            rest=node.rest,
            port=node.postgresql,
            folder=self.folder,
            programs=self.programs,
            etcd_hosts=", ".join(f'"127.0.0.1:{each.etcd}"' for each in self.nodes),
            superuser_password=self.passwords["superuser"],
            replication_password=self.passwords["replication"],
        )

    def url(self, role: str) -> str:
        """The SQLAlchemy URL by which `OWNER` or `SERVICE` always reaches the primary."""
        hosts = "&".join(f"host=127.0.0.1:{node.postgresql}" for node in self.nodes)
        return (
            f"postgresql+psycopg://{role}@/{DATABASE}?{hosts}"
            f"&target_session_attrs=read-write&passfile={self.passfile(role)}"
        )

    def passfile(self, role: str) -> Path:
        return self.folder / f"{role}.pgpass"

    def passfile_lines(self, role: str) -> str:
        password = self.passwords[role]
        return "".join(
            f"127.0.0.1:{node.postgresql}:{DATABASE}:{role}:{password}\n" for node in self.nodes
        )

    def save(self) -> None:
        value = asdict(self) | {"folder": str(self.folder), "programs": str(self.programs)}
        write_private(self.folder / "cluster.json", json.dumps(value, indent=2))


def new_layout(folder: Path, programs: Path) -> Layout:
    return Layout(
        folder=folder,
        programs=programs,
        nodes=tuple(Node(name=name) for name in NAMES),
        passwords={
            name: secrets.token_urlsafe(16) for name in ("superuser", "replication", OWNER, SERVICE)
        },
    )


def read_layout(folder: Path) -> Layout:
    """Raises FileNotFoundError if there is no cluster in `folder`."""
    value = json.loads((folder / "cluster.json").read_text(encoding="utf-8"))
    return Layout(
        folder=Path(value["folder"]),
        programs=Path(value["programs"]),
        nodes=tuple(Node(**node) for node in value["nodes"]),
        passwords=value["passwords"],
    )


def write_private(path: Path, content: str) -> None:
    """A file that only its owner reads."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(content)
