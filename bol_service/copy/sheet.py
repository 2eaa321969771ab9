"""Everything that the template sets, as one JSON value in which every text is printable.

    {"carrier", "reference", "type", "state", "holder"?, "title"?, "asOf", "origin", "demo",
     "partial", "face"?, "onBoard"?, "turns", "containers"?, "proof", "attachment", ...}

The sheet holds nothing but what the bundle tells, so the same bundle makes the same sheet, byte for
byte. No clock, no verdict: whether the bill still stands so is for the reader to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from bol_service.copy import wording
from bol_service.copy.face import box, face, texts
from bol_service.copy.history import History, Turn
from bol_service.copy.ink import printable
from bol_service.domain.events import Issue, OnBoardNotation
from bol_service.domain.states import Control

Json = dict[str, Any]

DEMO: Final = "demo."


def sheet(history: History, address: str | None) -> Json:
    """`address` is where a reader can have the copy verified; None if nobody told."""
    statement = history.statement
    value: Json = {
        "reference": _reference(history),
        "carrier": _carrier(history),
        "type": wording.pair(wording.TYPES, history.facts.kind if history.facts else ""),
        "state": wording.pair(wording.STATUSES, statement.status),
        "control": _control(history),
        "origin": statement.origin,
        "asOf": moment(statement.at),
        "date": _parts(statement.at),
        "demo": statement.origin.startswith(DEMO),
        "partial": wording.HIDDEN_DOCUMENT if history.document is None else None,
        "hasHidden": statement.is_partial,
        "face": face(history.document) if history.document is not None else None,
        "onBoard": _on_board(history),
        "signed": _signed(history),
        "turns": list(_turns(history)),
        "custody": list(_custody(history)),
    }
    inked: Json = _inked(value)
    return {
        **inked,
        # Set as they are, so that they can be copied out of the page; their forms are ours.
        "proof": {
            "bill": statement.bill,
            "evidence": history.sha256,
            "size": str(statement.size),
            "checkpoint": statement.checkpoint_digest,
            "check": check(statement.bill),
            "address": address or "",
        },
        "attachment": attachment_name(history),
    }


def check(bill: str) -> str:
    """The short form of a bill's id that a person can compare: four groups of four digits."""
    return "-".join(re.findall("....", bill[:16]))


def attachment_name(history: History) -> str:
    """`<B/L number>.ebl.json`, with the bill's id where the number is no safe file name."""
    reference = _reference(history)
    safe = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", reference)
    return f"{reference if safe else history.statement.bill[:16]}.ebl.json"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _parts(at: datetime) -> list[int]:
    utc = at.astimezone(UTC)
    return [utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second]


def _inked(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: _inked(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_inked(item) for item in value]
    return value


def _reference(history: History) -> str:
    return history.facts.reference if history.facts else ""


def _carrier(history: History) -> Json:
    """The carrier as the document names it, with what its registration adds."""
    document = history.document or {}
    named = (document.get("documentParties") or {}).get("issuingParty") or {}
    issue = _issue(history)
    identity = history.parties.get(issue.event.actor) if issue else None
    code = " ".join(texts(document.get("carrierCodeListProvider"), document.get("carrierCode")))
    address = named.get("address") or {}
    return {
        "name": str(named.get("partyName") or (identity.legal_name if identity else "")),
        "local": (identity.legal_name_local or "") if identity else "",
        "code": code,
        "where": ", ".join(texts(address.get("city"), address.get("countryCode"))),
    }


def _issue(history: History) -> Turn | None:
    for turn in history.turns:
        if turn is not None and isinstance(turn.event, Issue):
            return turn
    return None


def _control(history: History) -> list[Json]:
    """Holder and title holder as stated, or nothing where the reader may not know."""
    if history.statement.control is None:
        return []
    holder, title, final = history.statement.control
    order = _party(history, title) if title else list(wording.ORDER_OF)
    ends = ["Final: no further endorsement · 不可再背书"] if final else []
    return [
        box("", _party(history, holder), ("Holder, in control", "持有人（控制人）")),
        box("", [*order, *ends], ("Title / to the order of", "权利人 / 凭指示")),
    ]


def _party(history: History, slug: str) -> list[str]:
    identity = history.parties.get(slug)
    if identity is None:
        return [slug]
    return texts(identity.legal_name, identity.legal_name_local, slug)


def _on_board(history: History) -> Json | None:
    """The last on-board notation; None while there is none."""
    for turn in reversed(history.turns):
        if turn is not None and isinstance(turn.event, OnBoardNotation):
            event = turn.event
            return {
                "day": event.on_board_date.isoformat(),
                "vessel": f"{event.vessel} / {event.voyage}",
                "port": event.port_of_loading,
                "by": history.name(event.actor),
                "at": moment(turn.recorded_at),
            }
    return None


def _signed(history: History) -> Json | None:
    """Who issued the bill, when and with which key."""
    issue = _issue(history)
    if issue is None:
        return None
    return {
        "by": history.name(issue.event.actor),
        "at": moment(issue.recorded_at),
        "key": f"{issue.kid[:16]}…",
    }


# -- the chain -----------------------------------------------------------------------------------


def _turns(history: History) -> Iterator[Json]:
    """One row for each act, and one for each run of acts that are hidden."""
    number = 0
    for hidden, run in groupby(history.turns, key=lambda turn: turn is None):
        group = list(run)
        if hidden:
            last = number + len(group) - 1
            numbers = str(number) if last == number else f"{number}–{last}"
            yield {"no": numbers, "hidden": wording.HIDDEN_ACTS}
        yield from (
            _row(history, place, turn)
            for place, turn in enumerate(group, number)
            if turn is not None
        )
        number += len(group)


def _row(history: History, number: int, turn: Turn) -> Json:
    control = turn.control
    return {
        "no": str(number),
        "hidden": None,
        "act": wording.pair(wording.ACTS, turn.event.action),
        "at": moment(turn.recorded_at),
        "by": history.name(turn.event.actor),
        "possessor": _moved(history, control, "possessor") if turn.moved_possession else "",
        "title": _moved(history, control, "title_holder") if turn.moved_title else "",
        "remark": " · ".join(_remarks(turn)),
    }


def _moved(history: History, control: Control | None, member: str) -> str:
    slug = getattr(control, member)
    return history.name(slug) if slug else "in blank 空白"


def _remarks(turn: Turn) -> list[str]:
    """What an act says beside who it is for; nothing that opens a gate."""
    event = turn.event
    reason = str(getattr(event, "reason", None) or "")
    presentation = getattr(event, "presentation", None)
    return texts(
        wording.both(wording.REASONS, reason),
        getattr(event, "comments", None),
        f"L/C {presentation.letter_of_credit}" if presentation else None,
        event.on_board_date.isoformat() if isinstance(event, OnBoardNotation) else None,
        *texts(getattr(event, "platform", None)),
        *(
            " ".join(texts(step.actor, wording.pair(wording.ACTS, step.action)[0], step.recipient))
            for step in getattr(event, "steps", ())
        ),
    )


def _custody(history: History) -> Iterator[Json]:
    for container, seen in sorted(history.custody.items()):
        yield {
            "container": container,
            "act": wording.pair(wording.CUSTODY, seen.action),
            "day": seen.day.isoformat(),
            "by": history.name(seen.custodian),
        }
