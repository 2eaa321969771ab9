"""Pages on their way from a worker to the audit.

A parcel is left in a file of a folder that only this audit knows, and what goes through the pool's
pipe is its number. A page is several times what a pipe holds: the worker would stand still until
the other process, which examines pages itself, lets another thread read a part, again and again.

Each row is sent as one plain tuple, and an event in it as its class and its members. Pickled as
they are, a row took a tenth of what examining it takes: for each value of a class pickle asks anew
how it is taken apart. The names of the members come once per parcel, since they are the same texts.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

from bol_service.application.audit_pages import Act, Examined, Page

Parcel = tuple[Any, ...]


def leave(page: Page, folder: Path) -> None:
    """Put the page there; raises OSError."""
    _file(folder, page.first).write_bytes(pickle.dumps(packed(page), pickle.HIGHEST_PROTOCOL))


def fetch(first: int, folder: Path) -> Page:
    """Take away the page that begins with the entry `first`; raises OSError if it is not there."""
    file = _file(folder, first)
    parcel = pickle.loads(file.read_bytes())  # noqa: S301 - what our own worker has left there
    file.unlink()
    return unpacked(parcel)


def _file(folder: Path, first: int) -> Path:
    return folder / str(first)


def packed(page: Page) -> Parcel:
    rows = [
        (index, recorded_at, leaf, None if act is None else _packed_act(act), findings, wrong)
        for index, recorded_at, leaf, act, findings, wrong in page.rows
    ]
    return page.first, page.end, rows, page.notes, page.unreadable


def unpacked(parcel: Parcel) -> Page:
    first, end, rows, notes, unreadable = parcel
    return Page(
        first=first,
        end=end,
        rows=[
            Examined(
                index, recorded_at, leaf, None if act is None else _unpacked_act(act), found, wrong
            )
            for index, recorded_at, leaf, act, found, wrong in rows
        ],
        notes=notes,
        unreadable=unreadable,
    )


def _packed_act(act: Act) -> Parcel:
    event = act.event
    return type(event), event.__dict__, *act[1:]


def _unpacked_act(parcel: Parcel) -> Act:
    kind, members, *rest = parcel
    event = object.__new__(kind)
    object.__setattr__(event, "__dict__", members)  # frozen, and nobody else's
    return Act(event, *rest)
