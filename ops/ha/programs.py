"""What a cluster runs: etcd, an interpreter, Patroni; and how its processes are ended.

etcd comes from the system (Debian: etcd-server). Patroni is installed from `requirements.lock` into
`var/patroni`, apart from the service, which does not need it.
"""

from __future__ import annotations

import hashlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = Path(__file__).with_name("requirements.lock")
PATRONI = ROOT / "var" / "patroni"
END_PATIENCE = 30.0  # seconds


class ClusterError(RuntimeError):
    """The cluster is not as it should be; the message says what to do."""


def find_etcd() -> str:
    found = shutil.which("etcd")
    if found is None:
        raise ClusterError("etcd is not on the PATH; on Debian: apt-get install etcd-server")
    return found


def find_python(is_root: bool) -> str:
    """An interpreter of this version that the nodes' account may run."""
    own = str(Path(sys.executable).resolve())
    if not is_root or _reachable(Path(own)):
        return own
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for place in ("/usr/bin", "/usr/local/bin"):
        if (found := Path(place) / version).exists() and _reachable(found.resolve()):
            return str(found)
    raise ClusterError(
        f"root's nodes run as nobody, who cannot reach {own}, and there is no /usr/bin/{version}; "
        "run this as another user than root"
    )


def install_patroni() -> None:
    """Into `var/patroni`, from the hashed lock, unless it is there already."""
    stamp, wanted = PATRONI / ".lock", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    shutil.rmtree(PATRONI, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--require-hashes", "--target", str(PATRONI), "-r", str(LOCK)]
    run(command, dict(os.environ))
    stamp.write_text(wanted, encoding="ascii")


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run to the end; raises ClusterError with what it said."""
    done = subprocess.run(  # noqa: S603 - our own commands
        command, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise ClusterError(f"{command[0]} ended with {done.returncode}: {done.stderr}")


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in listed.split()]


def end(pids: Iterable[int], how: signal.Signals) -> None:
    """Signal each and wait until it is gone; SIGKILL to those that stay."""
    for handle in [handle for pid in pids if (handle := _signalled(pid, how)) is not None]:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        if not ended.poll(END_PATIENCE * 1000):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        os.close(handle)


def _signalled(pid: int, how: signal.Signals) -> int | None:
    try:
        handle = os.pidfd_open(pid)
        signal.pidfd_send_signal(handle, how)
    except ProcessLookupError:
        return None
    return handle


def _reachable(path: Path) -> bool:
    """Whether everybody may go there."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))
