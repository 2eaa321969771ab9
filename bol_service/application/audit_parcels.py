"""Pages on their way from a worker to the audit.

Each row is packed into one tuple. Pickled as the three values that it is, a row took a tenth of
what examining it takes: for each of them pickle asks anew how its class is taken apart.
"""

from __future__ import annotations

from dataclasses import fields
from operator import itemgetter
from typing import Any, Final

from bol_service.application.audit_pages import Act, Examined, Page
from bol_service.domain.events import Event

Parcel = tuple[Any, ...]


def packed(page: Page) -> Parcel:
    rows = [
        (
            row.index,
            row.recorded_at,
            row.leaf,
            row.findings,
            row.wrong_facts,
            None if row.act is None else _packed_act(row.act),
        )
        for row in page.rows
    ]
    return page.first, page.end, rows, page.notes, page.unreadable


def unpacked(parcel: Parcel) -> Page:
    first, end, rows, notes, unreadable = parcel
    return Page(
        first=first,
        end=end,
        rows=[
            Examined(
                index=index,
                recorded_at=recorded_at,
                leaf=leaf,
                findings=findings,
                wrong_facts=wrong_facts,
                act=None if act is None else _unpacked_act(*act),
            )
            for index, recorded_at, leaf, findings, wrong_facts, act in rows
        ],
        notes=notes,
        unreadable=unreadable,
    )


def _packed_act(act: Act) -> Parcel:
    event = act.event
    said = itemgetter(*_names(type(event)))(vars(event))
    return type(event), said, act.kid, act.alg, act.digest, act.signers, act.facts, act.unverified


def _unpacked_act(
    kind: type[Any], said: tuple[Any, ...], kid: str, alg: str, digest: str, *rest: Any
) -> Act:
    signers, facts, unverified = rest
    event: Event = object.__new__(kind)
    vars(event).update(zip(_names(kind), said, strict=True))
    return Act(
        event=event,
        kid=kid,
        alg=alg,
        digest=digest,
        signers=signers,
        facts=facts,
        unverified=unverified,
    )


_NAMES: Final[dict[type[Any], tuple[str, ...]]] = {}


def _names(kind: type[Any]) -> tuple[str, ...]:
    if kind not in _NAMES:
        _NAMES[kind] = tuple(field.name for field in fields(kind))
    return _NAMES[kind]
