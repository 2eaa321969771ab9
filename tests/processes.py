"""Other processes of this machine, as far as a test has to look at them or to end them."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PATIENCE_MS = 120_000


def children(pid: int) -> list[int]:
    """The processes that `pid` has started and that are still there."""
    alive = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [each for each in alive if _parent(each) == pid]


def end_all(pids: Iterable[int]) -> None:
    """SIGKILL to each; returns when all are gone."""
    for handle in [_kill(pid) for pid in pids]:
        if handle is None:
            continue
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        assert ended.poll(PATIENCE_MS), "a killed process is still there"
        os.close(handle)


def fill_disk(pids: Iterable[int], size: int) -> None:
    """No file that these processes write grows beyond `size` bytes, until `free_disk`.

    The kernel refuses the write (EFBIG), as it does with ENOSPC on a full disk: no rights, no tools
    and no other disk are needed for it.
    """
    for pid in pids:
        _limit(pid, str(size))


def free_disk(pids: Iterable[int]) -> None:
    for pid in pids:
        _limit(pid, "unlimited")


def _limit(pid: int, size: str) -> None:
    # As the process's own user: in many containers root may not do this to others (util-linux).
    owner = Path(f"/proc/{pid}").stat()
    account: dict[str, Any] = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    subprocess.run(
        ["prlimit", f"--pid={pid}", f"--fsize={size}:unlimited"],
        check=True,
        **(account if os.geteuid() == 0 else {}),
    )


def _parent(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return int(status.rpartition(")")[2].split()[1])


def _kill(pid: int) -> int | None:
    """Kill a process; a handle on its end."""
    try:
        handle = os.pidfd_open(pid)
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return handle
