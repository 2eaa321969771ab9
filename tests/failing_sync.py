"""A process on whose machine no disk can sync.

The kernel itself answers EIO to fsync and fdatasync of the process and of all that it starts, by a
seccomp filter. That takes no rights and no tools, but it can never be taken away again: the process
has to be ended. `refuse_fdatasync` leaves fsync alone: who can choose between the two when asked
to, as PostgreSQL can (`wal_sync_method`), lives well until then.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

NUMBERS = {  # machine: (its name for seccomp, fsync, fdatasync)
    "x86_64": (0xC000003E, 74, 75),
    "aarch64": (0xC00000B7, 82, 83),
}
NO_NEW_PRIVILEGES, SECCOMP, FILTER = 38, 22, 2  # prctl
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF: word at, compare with a constant, answer
ALLOW, ERROR = 0x7FFF0000, 0x00050000
CALL, MACHINE = 0, 4  # where struct seccomp_data has them


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def refuse_sync() -> None:
    """From now on every sync of this process fails with EIO."""
    machine, fsync, fdatasync = NUMBERS[platform.machine()]
    _refuse(machine, fsync, fdatasync)


def refuse_fdatasync() -> None:
    machine, _, fdatasync = NUMBERS[platform.machine()]
    _refuse(machine, fdatasync, fdatasync)


def _refuse(machine: int, *calls: int) -> None:
    steps = _steps(machine, *calls)
    libc = ctypes.CDLL(None, use_errno=True)
    program = Program(len(steps) // 8, steps)
    for call in (
        (NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (SECCOMP, FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*call) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"prctl: {os.strerror(number)}")


def _steps(machine: int, one: int, other: int) -> bytes:
    def step(code: int, value: int, if_so: int = 0, otherwise: int = 0) -> bytes:
        return struct.pack("=HBBI", code, if_so, otherwise, value)

    return b"".join(
        (
            step(LOAD, MACHINE),
            step(IF_EQUAL, machine, 0, 3),
            step(LOAD, CALL),
            step(IF_EQUAL, one, 2),
            step(IF_EQUAL, other, 1),
            step(RETURN, ALLOW),
            step(RETURN, ERROR | errno.EIO),
        )
    )
