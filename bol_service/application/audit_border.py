"""What crossed the border, held to the log: the flow log and the transfers in and out.

1. An envelope that was sent and answered, and one that was received, each left an entry; the flow
   log has a line for each. One key of 32 bytes is remembered for each of them.
2. A line that names an act names one that is there.
3. An answer of ours is signed with a key of this ledger, is about the envelope that is kept, and
   the reception that it confirms is an entry.
4. A transfer of ours is the one that its notice asked for, and ended as the entry says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from bol_service.application.audit_beside_ports import BesideReading, RawRow
from bol_service.application.audit_rows import differing, judged
from bol_service.application.exchange_ports import CLOSED, Stage
from bol_service.crypto import base64url, jws, peer_jws
from bol_service.crypto.peer_jws import text_digest
from bol_service.domain.events import Action
from bol_service.verification.signatures import public_key
from bol_service.wire.pint_answers import HTTP_STATUS, ResponseCode, read_finished_response
from bol_service.wire.pint_envelope import read_envelope

_ACT: Final = re.compile(r"act ([0-9]{1,15}) of the bill")
_CONCLUDED: Final = (Action.MOVED, Action.NOT_MOVED)
_ACCEPTED: Final = (ResponseCode.RECE, ResponseCode.DUPE)
"""One of these may end a transfer that was begun with another envelope of the same bill."""
_INBOUND: Final = ("reference", "bill", "sender", "manifest", "envelope", "answer", "status")
_OUTBOUND: Final = ("number", "bill", "platform", "since", "stage", "answer")


@dataclass(kw_only=True)
class _Crossings:
    """What the entries say has crossed; `received` by bill and last entry, `ended` by bill."""

    due: dict[bytes, str] = field(default_factory=dict)
    received: set[bytes] = field(default_factory=set)
    ended: dict[str, list[tuple[int, str, bytes]]] = field(default_factory=dict)


def faults(beside: BesideReading) -> Iterator[str]:
    """A sentence for each row that does not fit the log."""
    crossed = _crossings(beside)
    columns = ("number", "direction", "bill", "digest", "basis")
    lines = beside.rows("flows", *columns)
    yield from judged(lines, "line {0} of the flow log", lambda row: _line(beside, crossed, row))
    for what in crossed.due.values():
        yield f"no line of the flow log tells of {what}"
    inbound = beside.rows("inbound_transfers", *_INBOUND)
    yield from judged(inbound, "the transfer {0}", lambda row: _inbound(beside, crossed, row))
    outbound = beside.rows("outbound_transfers", *_OUTBOUND)
    yield from judged(outbound, "transfer {0}", lambda row: _outbound(beside, crossed, row))


def _key(*parts: object) -> bytes:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).digest()


def _crossings(beside: BesideReading) -> _Crossings:
    crossed = _Crossings()
    sent: dict[str, str] = {}
    for index, stream, sequence, action, event in beside.crossings():
        bill = str(stream).removeprefix("bill:")
        details = _details(str(event))
        if action == Action.SENT:
            sent[bill] = details["envelope"]
        elif action in _CONCLUDED:
            ended = (int(str(sequence)), str(action), _key(details["answer"]))
            crossed.ended.setdefault(bill, []).append(ended)
            envelope = sent.pop(bill, None)
            if envelope is not None:
                crossed.due[_key("OUT", bill, envelope)] = _named("sent", index, envelope)
        else:
            envelope = details["envelope"]
            crossed.due[_key("IN", bill, envelope)] = _named("received", index, envelope)
            crossed.received.add(_key(bill, details["lastEntry"]))
    return crossed


def _details(event: str) -> dict[str, Any]:
    details: dict[str, Any] = json.loads(base64url.decode(event.split(".")[1]))["details"]
    return details


def _named(how: str, index: object, envelope: object) -> str:
    return f"envelope {envelope}, {how} according to entry {index}"


def _line(beside: BesideReading, crossed: _Crossings, row: RawRow) -> str | None:
    _, direction, bill, digest, basis = row
    if direction not in ("IN", "OUT"):
        return f"says direction {direction!r}; there are IN and OUT"
    crossed.due.pop(_key(direction, bill, digest), None)
    act = _ACT.fullmatch(str(basis))
    if act is not None and not beside.has_entry(f"bill:{bill}", int(act[1])):
        return f"names {basis} {bill}, which the log does not have"
    return None


def _inbound(beside: BesideReading, crossed: _Crossings, row: RawRow) -> str | None:
    _, bill, sender, manifest, digest, answer, status = row
    content = beside.content(str(digest))
    last = None
    if content is not None:
        envelope = read_envelope(content)
        last = envelope.last_checksum
        said = {
            "bill": (bill, envelope.document_checksum),
            "manifest": (manifest, text_digest(envelope.manifest)),
        }
        if (fault := differing(**said)) is not None:
            return fault
    if answer is None:
        return None
    told = read_finished_response(peer_jws.parse(str(answer)).value)
    fault = differing(status=(status, HTTP_STATUS[told.code]))
    if last is not None and told.code not in _ACCEPTED:
        fault = fault or differing(answer=(told.last_checksum, last))
    if told.code is ResponseCode.RECE and _key(bill, told.last_checksum) not in crossed.received:
        fault = fault or f"from {sender} was received, as its answer says; no entry says so"
    return fault or _signature(beside, str(answer))


def _signature(beside: BesideReading, answer: str) -> str | None:
    parsed = jws.parse(answer, None, max_bytes=peer_jws.MAX_BYTES)
    holder = beside.key(parsed.kid)
    if holder is None:
        return f"has an answer by the key {parsed.kid}, which was never registered"
    jws.verify(parsed, public_key(holder[1]))
    return None


def _outbound(beside: BesideReading, crossed: _Crossings, row: RawRow) -> str | None:
    number, bill, platform, since, stage, answer = row
    asked = beside.notice_facts(int(str(number)))
    if asked is not None:
        facts: Any = json.loads(asked)
        wanted = {"platform": (platform, facts["platform"]), "since": (since, facts["since"])}
        if (fault := differing(**wanted)) is not None:
            return fault
    if Stage(str(stage)) not in CLOSED:
        return None
    later = (end for end in crossed.ended.get(str(bill), ()) if end[0] > int(str(since)))
    end = next(later, None)
    if end is None:
        return f"of bill {bill} is {stage}; no entry concluded it"
    moved = Action.MOVED if stage == Stage.MOVED else Action.NOT_MOVED
    if end[1:] != (moved, _key(answer)):
        return f"of bill {bill} is {stage}; the entry that concluded it says otherwise"
    return None
