"""The delivery in Singapore of a bill that Chongqing issued, as the compose dry run plays it.

1. The terminal, a party of Singapore, applies through it; Chongqing's operator registers it.
2. One container travels to its gate; the bank surrenders in Singapore, the carrier accepts.
3. The gate asks before there is a delivery order, and after. GATE_OUT, signed in Singapore, is
   recorded by Chongqing.

Each act of the terminal for Chongqing's ledger, and its evidence, crosses by the TLS door.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bol_service.client_abroad import ClientAbroad, through
from bol_service.crypto import base64url
from bol_service.ledger import receipt as receipts
from bol_service.ledger.receipt import Receipt
from bol_service.wire import drafting
from bol_service.wire.event_fields import instant_text
from scripts.compose_file import DryRunFailed
from scripts.compose_parties import (
    BANK,
    CARRIER,
    LOADING,
    RAIL,
    TERMINAL,
    optional,
    party_of,
    rulebook,
    status,
    until,
)
from scripts.compose_platform import Platform

Json = dict[str, Any]
ONE_TIME_CODE = base64url.encode(b"a dry run's code")
COLLECTOR = {"name": "Dry Run Haulage", "reference": "SGX 1 A"}
_TRAIN = {"train": "X8888"}
_SAILING = {"vesselName": "XIN LUHAI 9", "carrierExportVoyageNumber": "2703S"}
JOURNEY = (
    (RAIL, "LOADED_RAIL", {**_TRAIN, "waybill": "W1"}),
    (RAIL, "RAIL_DEPARTED", _TRAIN),
    (RAIL, "RAIL_ARRIVED", _TRAIN),
    (LOADING, "RECEIVED_TRANSHIPMENT", {}),
    (LOADING, "LOADED_VESSEL", _SAILING),
    (LOADING, "VESSEL_DEPARTED", _SAILING),
)


@dataclass(frozen=True, kw_only=True)
class Shipped:
    """An issued bill and the one of its containers that is delivered."""

    bill: str
    shipment: str
    container: str

    @property
    def custody(self) -> str:
        return f"custody:{self.shipment}:{self.container}"


def settle_in(home: Platform, abroad: Platform) -> str:
    """Before the booking, which names the terminal."""
    _apply(home, abroad, _terminal(home, abroad))
    return f"{home.name} registered {TERMINAL}, which applied through {abroad.name}"


def play(home: Platform, abroad: Platform, shipped: Shipped) -> Iterator[str]:
    """The bank in Singapore holds the bill; a line for each thing shown."""
    terminal = _terminal(home, abroad)
    for slug, action, more in JOURNEY:
        home.client(slug).act(action, shipped.custody, _fact(**more))
    terminal.act("DISCHARGED", shipped.custody, _fact())
    _surrender(home, abroad, shipped.bill)
    yield f"the gate at {abroad.name} hears: {_heard(terminal, shipped.container)}"
    order = _order(home, shipped)
    yield f"with a delivery order it hears: {_heard(terminal, shipped.container)}"
    released = {
        "bill": shipped.bill,
        "order": order,
        "code": ONE_TIME_CODE,
        "collectedBy": COLLECTOR,
    }
    receipt = Receipt.from_value(terminal.act("GATE_OUT", shipped.custody, _fact(**released)))
    receipts.verify(receipt, [home.log_key])
    yield f"{home.name} recorded the GATE_OUT that was signed at {abroad.name}, receipt verified"


def _terminal(home: Platform, abroad: Platform) -> ClientAbroad:
    return through(abroad.client(TERMINAL), origin=home.origin)


def _apply(home: Platform, abroad: Platform, terminal: ClientAbroad) -> None:
    party = party_of(TERMINAL)
    proof = drafting.prove_key(
        abroad.signers[TERMINAL], origin=home.origin, party=TERMINAL, identity=party["identity"]
    )
    details = {**proof, **optional(party), "identity": party["identity"], "roles": party["roles"]}
    application = {"platform": home.code, "party": TERMINAL, "details": details}
    abroad.client(TERMINAL).post("/v1/abroad/registrations", application)
    operator = home.client("operator")
    (waiting,) = operator.get("/v1/abroad/applications")["items"]
    operator.act("REGISTER", f"party:{TERMINAL}", waiting["details"], after=None)
    terminal.act("ACCEPT_RULEBOOK", f"party:{TERMINAL}", {"rulebook": rulebook(home)})


def _surrender(home: Platform, abroad: Platform, bill: str) -> None:
    abroad.client(BANK).act("SURRENDER_FOR_DELIVERY", f"bill:{bill}")
    pending = "PENDING_SURRENDER_FOR_DELIVERY"
    until(partial(_is, home, CARRIER, bill, pending), "the surrender did not come back")
    home.client(CARRIER).act("SACC", f"bill:{bill}")
    accepted = "SURRENDERED_FOR_DELIVERY"
    until(partial(_is, home, CARRIER, bill, accepted), "the acceptance was not recorded")


def _is(platform: Platform, party: str, bill: str, wanted: str) -> bool:
    return status(platform, party, bill) == wanted


def _heard(terminal: ClientAbroad, container: str) -> str:
    answer = terminal.get(f"/v1/containers/{container}/release-check")
    if "platform" not in answer:
        raise DryRunFailed(f"the gate got an answer from no other platform: {answer['reason']}")
    return f"{answer['answer']} ({answer['code']})"


def _order(home: Platform, shipped: Shipped) -> str:
    """The carrier's delivery order; returns its digest."""
    expires = datetime.now(UTC) + timedelta(hours=1)
    details = {
        "terminal": TERMINAL,
        "containers": [shipped.container],
        "pickUp": COLLECTOR,
        "codeHash": hashlib.sha256(ONE_TIME_CODE.encode()).hexdigest(),
        "expires": instant_text(expires),
    }
    ordered = home.client(CARRIER).act("DELIVERY_ORDER", f"bill:{shipped.bill}", details)
    return str(ordered["head"])


def _fact(**more: Any) -> Json:
    now = datetime.now(UTC)
    return {"occurredAt": instant_text(now), "localDate": now.date().isoformat(), **more}
