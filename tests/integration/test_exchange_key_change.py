"""The key towards other platforms is replaced as docs/operations.md, Changing keys, says.

The desk is a party: its new key is added with the old one, used once the peers pin it, and only
then the old one is revoked. What was on its way under the old key arrives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bol_service.client import Client
from bol_service.crypto.keys import PublicKey
from bol_service.crypto.signers import Signer, open_signer
from bol_service.domain.states import Status
from tests.command_line import run
from tests.two_platforms import DESK, PASSPHRASE, Side, Two, two_platforms

SECRET = {"BOL_KEY_PASSPHRASE": PASSPHRASE.decode()}


@dataclass(kw_only=True)
class Change:
    """What the operators do when Chongqing's key is replaced by that of the file `new`."""

    two: Two
    new: Path
    jwk: Mapping[str, str]

    def desk(self, signer: Signer) -> Client:
        """As a party of its own platform; what `bol party` uses, at the story's time."""
        cq = self.two.cq
        return Client(
            base_url=cq.settings.base_url,
            origin=cq.origin,
            party=DESK,
            signer=signer,
            now=cq.now,
        )

    def add(self) -> None:
        words = ("keys", "proof", "--party", DESK, "--key", self.new)
        ran = run(*words, BOL_ORIGIN=self.two.cq.origin, **SECRET)
        self.desk(self.two.cq.pint).act("ADD_KEY", f"party:{DESK}", ran.json())

    def pinned_beside(self) -> None:
        keys = pins(self.two.sg)
        pin(self.two.sg, [*keys, {"jwk": self.jwk}])

    def used(self) -> None:
        cq = self.two.cq
        cq.stop()
        cq.settings = replace(cq.settings, pint_key=f"file:{self.new}")
        cq.start()

    def revoke(self) -> None:
        signer = open_signer(f"file:{self.new}", lambda: PASSPHRASE)
        details = {"kid": self.two.cq.pint.public.kid, "reason": "replaced"}
        self.desk(signer).act("REVOKE_KEY", f"party:{DESK}", details)

    def unpinned(self) -> None:
        pin(self.two.sg, [{"jwk": self.jwk}])


def pins(side: Side) -> list[object]:
    assert side.settings.peers is not None
    value = json.loads(side.settings.peers.read_bytes())
    [peer] = value["platforms"].values()
    found: list[object] = peer["keys"]
    return found


def pin(side: Side, keys: list[object]) -> None:
    """The peer's keys in `peers.json`; the service has to be started again."""
    path = side.settings.peers
    assert path is not None
    value = json.loads(path.read_bytes())
    [peer] = value["platforms"].values()
    peer["keys"] = keys
    path.write_text(json.dumps(value), encoding="utf-8")
    side.stop()
    side.start()


@pytest.fixture
def change(tmp_path: Path) -> Iterator[Change]:
    with two_platforms(tmp_path) as two:
        folder = two.cq.settings.state_dir.parent
        new = folder / "exchange-2.pem"
        words = ("keys", "generate", new, "--alg", "ES256", "--json")
        ran = run(*words, **SECRET)
        jwk = PublicKey.from_jwk(ran.json()["jwk"]).to_jwk()
        yield Change(two=two, new=new, jwk=jwk)


def send(two: Two, bill: str) -> None:
    two.cq.act("yunling", "ENDORSE_TO_ORDER", bill, recipient="SGPX:banksg")
    two.cq.act("yunling", "TRANSFER", bill, recipient="SGPX:banksg")


def test_the_exchange_key_is_replaced_step_by_step_and_nothing_is_lost(change: Change) -> None:
    two = change.two
    between, after = two.issue(2)
    change.add()
    change.pinned_beside()
    two.sg.served = None  # so that something is on its way under the old key
    send(two, between)
    two.until(lambda: any(row.attempts for row in two.cq.outbox(between)))
    change.used()
    two.sg.served = two.sg.running.app
    two.settled(between)
    change.revoke()
    change.unpinned()
    send(two, after)
    two.settled(after)
    for bill in (between, after):  # and home again, also what the old key has signed
        assert two.sg.here(bill).control.possessor == "banksg"
        two.sg.act("banksg", "SURRENDER_FOR_DELIVERY", bill)
    for bill in (between, after):
        two.settled(bill)
        assert two.cq.here(bill).status is Status.PENDING_SURRENDER_FOR_DELIVERY


def test_under_a_key_that_the_peer_does_not_pin_yet_the_bill_comes_back(change: Change) -> None:
    two = change.two
    (bill,) = two.issue()
    change.add()
    change.used()
    send(two, bill)
    two.settled(bill)
    assert two.cq.actions(bill)[-2:] == ["SENT", "NOT_MOVED"]
    assert two.cq.here(bill).control.possessor == "yunling"


def test_under_a_key_that_is_not_added_yet_nothing_leaves(change: Change) -> None:
    two = change.two
    (bill,) = two.issue()
    change.used()
    with capture_logs() as journal:
        send(two, bill)
        two.until(lambda: any("belongs to no party" in str(line) for line in journal))
    assert two.cq.actions(bill)[-1] == "TRANSFER"
