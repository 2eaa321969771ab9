"""Bills that crossed between two live platforms, for two engines: what each side's readers get.

`crossed` plays Chongqing and Singapore on loopback and takes everybody's bundle after each step:

1. an original is endorsed and sent to Singapore, passed on there, surrendered, and accepted;
2. another one is surrendered, rejected, and then transferred back to a bank in Chongqing;
3. a third is refused: its receiver was suspended while it was on its way.

It also keeps what a dishonest platform would need to tell the same story otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bol_service import bootstrap
from bol_service.crypto.signers import LocalSigner, Signer
from bol_service.domain import errors
from bol_service.domain.states import Status
from bol_service.settings import Settings
from bol_service.verification.bundle import ShownEntry, read_bundle
from bol_service.verification.trust import Trust
from tests.forged_bundle import Told, genuine, place
from tests.node_verifier import Question, trust_file
from tests.two_platforms import CQ, DESK, SG, Side, Two, trust_of, two_platforms

READERS = {
    CQ: ("xlsc", "yunling", "bankcq", "guoyuan", "straits"),
    SG: ("banksg", "straits", "sgterm"),
}
HOLDER_ABROAD = "SGPX:banksg"


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """A platform's own keys, and those of its desk and its parties."""

    settings: Settings
    log_signer: Signer
    statement_signer: Signer
    signers: dict[str, LocalSigner]
    trust: Trust


@dataclass(frozen=True, kw_only=True)
class Base:
    """A log up to some moment, to be continued."""

    ledger: Ledger
    told: Told
    now: datetime

    @property
    def stream(self) -> str:
        return f"bill:{self.told.statement.bill}"

    def without_last(self) -> Base:
        """Without the bill's last entry, which must be the last of the log."""
        assert place(self.told.entries[-1])[0] == self.stream
        return replace(self, told=replace(self.told, entries=self.told.entries[:-1]))


@dataclass(kw_only=True)
class Border:
    """`taken` are genuine; `waits`, `sent`, `moved` are Chongqing's log of the first bill before
    the envelope, with it, and with the answer; `imported` is Singapore's.
    `chains` are those that came with the genuine files."""

    ledgers: dict[str, Ledger]
    taken: list[Question] = field(default_factory=list)
    bases: dict[str, Base] = field(default_factory=dict)
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Camera:
    two: Two
    border: Border

    def take(self, step: str, bill: str) -> None:
        """Everybody's bundle of the bill, as it is now."""
        for side, reader in self._readers():
            content = self.bundle(side, bill, reader)
            if content is not None:
                self.border.taken.append(
                    Question(
                        name=f"{step}: {reader}'s of {side.code}",
                        content=content,
                        trust=trust_file(self.border.ledgers[side.code].trust),
                        now=self.two.clock["now"],
                    )
                )

    def keep(self, name: str, side: Side, bill: str, reader: str) -> None:
        content = self.bundle(side, bill, reader)
        assert content is not None
        self.border.bases[name] = Base(
            ledger=self.border.ledgers[side.code],
            told=genuine(content),
            now=self.two.clock["now"],
        )

    def bundle(self, side: Side, bill: str, reader: str) -> bytes | None:
        try:
            content: bytes = side.running.services.evidence.bundle(bill, reader)
        except errors.Refusal:
            return None
        return content

    def _readers(self) -> Iterator[tuple[Side, str]]:
        for side in (self.two.cq, self.two.sg):
            for reader in READERS[side.code]:
                yield side, reader


def crossed(folder: Path) -> Border:
    with two_platforms(folder) as two:
        border = Border(ledgers={side.code: _ledger(side) for side in (two.cq, two.sg)})
        camera = Camera(two=two, border=border)
        first, second, third = two.issue(3)
        _leaves(camera, first)
        _is_surrendered(camera, first)
        _comes_back(camera, second)
        _is_refused(camera, third)
    return border


def _leaves(camera: Camera, bill: str) -> None:
    two = camera.two
    with _envelopes_held_up(two):
        to = {"recipient": HOLDER_ABROAD, "transferTo": HOLDER_ABROAD}
        two.cq.act("yunling", "ENDORSE_TO_ORDER", bill, **to)
        camera.take("on its way", bill)
        two.until(lambda: (transit := two.cq.here(bill).transit) is None or bool(transit.sent))
        camera.take("sent", bill)
        camera.keep("sent", two.cq, bill, "xlsc")
    camera.border.bases["waits"] = camera.border.bases["sent"].without_last()
    two.settled(bill)
    camera.take("moved", bill)
    camera.keep("imported", two.sg, bill, "banksg")
    imported = camera.bundle(two.sg, bill, "banksg")
    assert imported is not None
    camera.border.chains["imported"] = read_bundle(imported).chains
    camera.border.bases["moved"] = _with_answer(camera, bill)


def _with_answer(camera: Camera, bill: str) -> Base:
    """`sent` with the entry that the real answer made."""
    sent = camera.border.bases["sent"]
    content = camera.bundle(camera.two.cq, bill, "xlsc")
    assert content is not None
    shown = [entry for entry in read_bundle(content).entries if isinstance(entry, ShownEntry)]
    told = replace(sent.told, entries=tuple(entry.entry for entry in shown))
    return replace(sent, told=told, now=camera.two.clock["now"])


def _is_surrendered(camera: Camera, bill: str) -> None:
    two = camera.two
    two.sg.act("banksg", "ENDORSE_TO_ORDER", bill, recipient="straits", transferTo="straits")
    camera.take("passed on", bill)
    two.sg.act("straits", "SURRENDER_FOR_DELIVERY", bill)
    camera.take("surrendered abroad", bill)
    two.settled(bill)
    assert two.cq.here(bill).status is Status.PENDING_SURRENDER_FOR_DELIVERY
    camera.take("the carrier is asked", bill)
    two.cq.act("xlsc", "SACC", bill)
    camera.take("accepted", bill)
    two.settled(bill)
    camera.take("accepted, and told so", bill)


def _comes_back(camera: Camera, bill: str) -> None:
    two = camera.two
    two.cq.act("yunling", "BLANK_ENDORSE", bill, transferTo=HOLDER_ABROAD)
    two.settled(bill)
    two.sg.act("banksg", "SURRENDER_FOR_AMENDMENT", bill, reasonCode="COD")
    two.settled(bill)
    camera.take("amendment is asked", bill)
    two.cq.act("xlsc", "SREJ", bill, reason="not built")
    two.settled(bill)
    camera.take("rejected", bill)
    two.sg.act("banksg", "TRANSFER", bill, recipient="CQGY:bankcq")
    two.settled(bill)
    assert two.cq.here(bill).control.possessor == "bankcq"
    camera.take("back again", bill)


def _is_refused(camera: Camera, bill: str) -> None:
    two = camera.two
    operator = two.sg.client("operator")

    def suspend() -> None:
        operator.act("SUSPEND", "party:banksg", {"reason": "under review"})

    _before_next_envelope(two, suspend)
    two.cq.act("yunling", "TRANSFER", bill, recipient=HOLDER_ABROAD)
    two.settled(bill)
    assert two.cq.here(bill).control.possessor == "yunling"
    assert two.cq.actions(bill)[-1] == "NOT_MOVED"
    camera.take("refused", bill)


# -- the road between the two ---------------------------------------------------------------------


class _envelopes_held_up:  # noqa: N801 - reads as what happens
    """Inside, Singapore is not to be reached with envelopes; all else passes."""

    def __init__(self, two: Two) -> None:
        self.side = two.sg

    def __enter__(self) -> None:
        def away(_: Any, start_response: Any) -> list[bytes]:
            start_response("502 Bad Gateway", [("Content-Length", "0")])
            return [b""]

        _watch(self.side, away)

    def __exit__(self, *_: object) -> None:
        self.side.served = self.side.running.app


def _before_next_envelope(two: Two, act: Callable[[], None]) -> None:
    def once(environ: Any, start_response: Any) -> Any:
        two.sg.served = two.sg.running.app
        act()
        return two.sg.running.app(environ, start_response)

    _watch(two.sg, once)


def _watch(side: Side, envelopes: Callable[[Any, Any], Any]) -> None:
    app = side.running.app

    def served(environ: Any, start_response: Any) -> Any:
        is_envelope = re.fullmatch(r"/v3/envelopes/?", environ["PATH_INFO"]) is not None
        return (envelopes if is_envelope else app)(environ, start_response)

    side.served = served


def _ledger(side: Side) -> Ledger:
    log_signer, statement_signer = bootstrap.platform_keys(side.settings)
    return Ledger(
        settings=side.settings,
        log_signer=log_signer,
        statement_signer=statement_signer,
        signers={**side.signers, DESK: side.pint},
        trust=trust_of(side),
    )
