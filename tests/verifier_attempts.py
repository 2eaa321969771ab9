"""What parties may try in a trace: most of it as usual, some bent by chance.

An attempt gets the world, the trace's seeded chance, and keywords that bend the envelope or the
entry of its act; it raises what the law raises.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from itertools import product
from typing import Any

from bol_service.domain import errors
from bol_service.domain import events as e
from bol_service.domain.document import BillKind, PartyReference
from bol_service.domain.states import OPERATOR, Place
from tests.law import Voyage
from tests.law_scene import (
    BOX_1,
    BOX_2,
    BOXES,
    COLLECTOR,
    FOREIGN_BOX,
    PARTIES,
    RULEBOOK,
    SEALS,
    SHIPMENT,
    altered,
    bill_of_lading,
    digest,
    key_of,
    local_day,
    reference_to,
    shipped,
)

TRADERS = ("yunling", "bankcq", "banksg", "straits", "nusantara")
Bend = dict[str, Any]
NOTHING_MORE: Bend = {"carrier_code": None, "facilities": ()}
Attempt = Callable[[Voyage, random.Random, Bend], object]


def bend(voyage: Voyage, chance: random.Random) -> Bend:
    """Now and then one member of the envelope or the entry is not what it should be."""
    if chance.random() > 0.1:
        return {}
    return chance.choice(
        (
            {"audience": "demo.sg.example/ebl"},
            {"at": voyage.now - timedelta(hours=24, milliseconds=1)},
            {"at": voyage.now - timedelta(hours=24)},
            {"at": voyage.now + timedelta(minutes=5)},
            {"at": voyage.now + timedelta(minutes=5, milliseconds=1)},
            {"sequence": chance.randrange(5)},
            {"previous": digest("another")},
            {"previous": None},
            {"signed_with": "key-yunling-2"},
            {"signed_with": "key-nobody-1"},
            {"alg": "ES256"},
            {"index": 0},
            {"occurred_at": voyage.now - timedelta(hours=chance.choice((1, 24, 25)))},
            {"occurred_at": voyage.now + timedelta(minutes=chance.choice((5, 6)))},
            {
                "at": voyage.now + timedelta(minutes=5),
                "occurred_at": voyage.now + timedelta(minutes=chance.choice((5, 10))),
            },
            {"local_date": local_day(voyage.now) + timedelta(days=chance.choice((-2, -1, 1, 2)))},
        )
    )


def _who(voyage: Voyage, chance: random.Random) -> str:
    bill = voyage.world.bill(voyage.document.checksum)
    usual = bill.control.possessor if bill else "yunling"
    return usual if chance.random() < 0.7 else chance.choice(tuple(PARTIES))


def _carrier(chance: random.Random) -> str:
    return "xlsc" if chance.random() < 0.85 else chance.choice(tuple(PARTIES))


def _to(chance: random.Random) -> str:
    return chance.choice((*TRADERS, *TRADERS, "xlsc", "operator", "nobody", "SGPX:x", "sgterm"))


def without_custody(bend: Bend) -> Bend:
    """Without what only custody acts have."""
    return {name: bend[name] for name in bend if name not in ("occurred_at", "local_date")}


def _transfer(v: Voyage, c: random.Random, bend: Bend) -> object:
    presented = c.choice((None, None, e.Presentation(letter_of_credit="LC1", complete=True)))
    return v.transfer(_who(v, c), to=_to(c), presentation=presented, **without_custody(bend))


def _endorse(v: Voyage, c: random.Random, bend: Bend) -> object:
    then = c.choice((None, None, _to(c)))
    how = c.choice((v.endorse, v.endorse_finally, v.endorse_in_blank))
    named = {} if how == v.endorse_in_blank else {"to": _to(c)}
    return how(_who(v, c), transfer_to=then, **named, **without_custody(bend))  # type: ignore[operator]


def _holder_act(v: Voyage, c: random.Random, bend: Bend) -> object:
    acts = (v.refuse, v.show_control, v.surrender, v.surrender_for_amendment)
    return c.choice(acts)(_who(v, c), **without_custody(bend))


def _passed_on(v: Voyage, c: random.Random, bend: Bend) -> object:
    """A holder with title endorses, transfers, and the next one endorses, refuses or surrenders."""
    for _ in range(c.randrange(2, 5)):
        bill = v.world.bill(v.document.checksum)
        if bill is None:
            return None
        holder, to = bill.control.possessor, c.choice(TRADERS)
        how = c.choice((v.endorse, v.endorse, v.endorse_finally, v.transfer))
        then = {} if how == v.transfer else {"transfer_to": c.choice((None, to))}
        how(holder, to=to, **then)  # type: ignore[operator]
    return _holder_act(v, c, bend)


def _refused_at_once(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Whoever received the bill refuses it; the carrier can only void what nobody took."""
    v.refuse(_who(v, c), **without_custody(bend))
    return v.void(_carrier(c))


def _suspended_meanwhile(v: Voyage, c: random.Random, bend: Bend) -> object:
    slug = c.choice(TRADERS)
    v.suspend(slug)
    for attempt in (_transfer, _party, _holder_act, _issue):
        with suppress(errors.Refusal, AssertionError):
            attempt(v, c, bend)
    return v.reinstate(slug)


def _carrier_act(v: Voyage, c: random.Random, bend: Bend) -> object:
    acts = (v.accept_surrender, v.reject_surrender, v.void, v.confirm_delivery, v.cancel_order)
    return c.choice(acts)(by=_carrier(c), **without_custody(bend))


def _notation(v: Voyage, c: random.Random, bend: Bend) -> object:
    changes = c.choice(
        (
            {},
            {},
            {},
            {"vessel": "ANOTHER"},
            {"voyage": "1"},
            {"port_of_loading": "CNCQI"},
            {"on_board_date": date(2027, 3, 4)},
        )
    )
    return v.note_on_board(_carrier(c), **changes, **without_custody(bend))


def _order(v: Voyage, c: random.Random, bend: Bend) -> object:
    changes = c.choice(
        (
            {},
            {},
            {"terminal": "qinzhou"},
            {"containers": (BOX_1,)},
            {"containers": (FOREIGN_BOX,)},
            {"expires": v.now},
            {"expires": v.now + timedelta(minutes=2)},
        )
    )
    return v.order_delivery(_carrier(c), **changes, **without_custody(bend))


def _cancel_other(v: Voyage, c: random.Random, bend: Bend) -> object:
    return v.cancel_order(digest("another order"), by=_carrier(c), **without_custody(bend))


def _custody(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Mostly what comes next for a box, by whom the booking names; sometimes anything."""
    box = c.choice((BOX_1, BOX_2, BOX_2, FOREIGN_BOX))
    how, leg = c.choice(_moves(v)) if c.random() < 0.3 else _next_move(v, box)
    by = getattr(v.custodians, leg) or "wrail"
    if c.random() < 0.15:
        by = c.choice(tuple(PARTIES))
    half = (SEALS[box][0], "X9") if len(SEALS[box]) > 1 else ("X9",)
    changes: Bend = c.choice(({}, {}, {}, {"seals": half}, {"seals": ("X1",)}, {"seals": None}))
    if how in (v.load_on_vessel, v.vessel_departs) and c.random() < 0.2:
        changes = {"voyage": "028S"}
    return how(box, by=by, **{**changes, **bend})


def _moves(v: Voyage) -> tuple[tuple[Callable[..., object], str], ...]:
    """Every move but the last in the order of the journey, and the leg on which it is signed."""
    return (
        (v.gate_in, "receipt"),
        (v.load_on_train, "rail"),
        (v.train_departs, "rail"),
        (v.train_arrives, "rail"),
        (v.receive_for_transhipment, "loading"),
        (v.load_on_vessel, "loading"),
        (v.vessel_departs, "loading"),
        (v.discharge, "discharge"),
    )


def _next_move(v: Voyage, box: str) -> tuple[Callable[..., object], str]:
    state = v.world.custody(SHIPMENT, box)
    moves = _moves(v)
    if state is None:
        return moves[0]
    at = tuple(Place).index(state.place) + 1
    if v.custodians.rail is None and at == 1:
        at = 5
    return moves[min(at, len(moves) - 1)]


def _journey(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Both boxes a few steps further, so that traces come to an end now and then."""
    for _, box in product(range(c.randrange(1, 5)), BOXES):
        how, leg = _next_move(v, box)
        how(box, by=getattr(v.custodians, leg))
    return None


def _two_loadings(v: Voyage, c: random.Random, bend: Bend) -> object:
    """The boxes are loaded apart, and the carrier notes or issues all the same."""
    apart = c.choice(
        ({"voyage": "028S"}, {"vessel": "ANOTHER"}, {"vessel": "A", "voyage": "B"}, {})
    )
    v.load_on_vessel(BOX_1, **(apart if c.random() < 0.3 else {}))
    v.wait(hours=c.choice((0, 20)))
    v.load_on_vessel(BOX_2, **apart)
    day = local_day(v.now)
    with suppress(errors.Refusal):
        v.note_on_board(on_board_date=day)
    stated = day - timedelta(days=c.choice((0, 0, 1)))
    v.take(shipped(v.document.kind, issue_date=stated, shipped_on_board_date=day))
    v.publish_draft(2)
    v.approve(2)
    return v.issue(**without_custody(bend))


def _one_box_has_left(v: Voyage, c: random.Random, bend: Bend) -> object:
    v.gate_out(BOX_1)
    return v.order_delivery(
        containers=c.choice(((BOX_1,), (BOX_2,), BOXES)), **without_custody(bend)
    )


def _order_runs_out(v: Voyage, c: random.Random, bend: Bend) -> object:
    v.order_delivery(expires=v.now + timedelta(minutes=7))
    v.wait(minutes=c.choice((6, 7, 8)))
    return v.gate_out(c.choice(BOXES), **bend)


def _another_terminal(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Appointed after the order was made out to the first one."""
    v.order_delivery()
    v.appoint(e.Leg.DISCHARGE, "guoyuan")
    return v.gate_out(BOX_1, by=c.choice(("guoyuan", "sgterm")), **bend)


def _customs(v: Voyage, c: random.Random, bend: Bend) -> object:
    """By the authority that the booking names, as a rule."""
    by = c.choice(("sgcus", "sgcus", "cqcus", "sgterm", "shadow"))
    return v.release_by_customs(c.choice(BOXES), by=by, **bend)


def _gate_out(v: Voyage, c: random.Random, bend: Bend) -> object:
    other = e.Collector(name="Another", reference=COLLECTOR.reference)
    changes = c.choice(
        (
            {},
            {},
            {},
            {"order": digest("forged")},
            {"code_digest": digest("guessed")},
            {"collected_by": other},
            {"bill": digest("another bill")},
        )
    )
    by = c.choice(("sgterm", "sgterm", "sgterm", "qinzhou", "xlsc"))
    box = c.choice((BOX_1, BOX_2, FOREIGN_BOX))
    return v.gate_out(box, by=by, **changes, **bend)


def _draft(v: Voyage, c: random.Random, bend: Bend) -> object:
    side = c.choice(("yunling", "yunling", "qiaolian", "shadow", "xlsc", "auditor", "straits"))
    draft = v.world.draft(v.draft.shipment)
    latest = draft.version.version if draft and draft.version else 0
    version = latest + c.choice((0, 0, 1))
    match c.randrange(6):
        case 0:
            return v.submit_instructions(side, **without_custody(bend))
        case 1:
            return v.publish_draft(
                latest + c.choice((1, 1, 1, 0)), by=_carrier(c), **without_custody(bend)
            )
        case 2:
            return v.request_change(version, by=side, **without_custody(bend))
        case 3 | 4:
            other = c.choice(({}, {}, {"content_digest": digest("another")}))
            return v.approve(version, by=side, **other, **without_custody(bend))
        case _:
            leg, to = c.choice(tuple(e.Leg)), c.choice(("guoyuan", "sgterm", "wrail", "bankcq"))
            return v.appoint(leg, to, by=_carrier(c), **without_custody(bend))


def _book(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Another shipment, or the same again."""
    shipment = f"0195a3c0-7c1e-7d2a-9b00-{c.randrange(3):012x}"
    changes = c.choice(
        (
            {},
            {},
            {"shipper": "xlsc"},
            {"shipper": "operator"},
            {"shipper": "nobody"},
            {"forwarder": "bankcq"},
            {"forwarder": None},
            {"custodians": e.Custodians(receipt="guoyuan", loading="qinzhou", discharge="sgterm")},
            {"custodians": e.Custodians(receipt="bankcq", loading="bankcq", discharge="sgterm")},
            {"customs": (), "customs_release": True},
            {"customs": ("sgterm",)},
            {"containers": (BOX_1, BOX_1)},
            {"containers": ()},
        )
    )
    carrier = c.choice(("xlsc", "merlion", "yunling", "xlsc"))
    return v.book(carrier, shipment=shipment, **changes, **without_custody(bend))


def _issue(v: Voyage, c: random.Random, bend: Bend) -> object:
    changes: Bend = c.choice(
        (
            {},
            {},
            {},
            {"issue_to": c.choice((*TRADERS, "xlsc", "operator", "nobody"))},
            {"manifest": {"kid": "key-yunling-1"}},
            {"manifest": {"document_checksum": digest("x")}},
            {"manifest": {"issue_to_checksum": digest("x")}},
            {"content_digest": digest("x")},
            {"received_bytes": digest("x")},
            {"rulebook": digest("x")},
            {"shipment": "0195a3c0-7c1e-7d2a-9b00-000000000001"},
            {"parties": {"shipper": "straits"}},
            {"parties": {"title_holder": "bankcq"}},
            {"parties": {"title_holder": None}},
            {"parties": {"notify": ("bankcq",)}},
            {"parties": {"consignee": "yunling"}},
        )
    )
    return v.issue(
        c.choice(("xlsc", "xlsc", "xlsc", "merlion", "yunling")), **changes, **without_custody(bend)
    )


def _other_document(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Upload another document, approve its content perhaps, and issue it."""
    kind = c.choice(tuple(BillKind))
    today = local_day(v.now)
    change: Bend = c.choice(
        (
            {},
            {"issue_date": today},
            {"issue_date": today + timedelta(days=2)},
            {"issue_date": None},
            {"received_for_shipment_date": today},
            {"type_code": "SWB"},
            {"status": "DRAFT"},
            {"is_electronic": False},
            {"carrier_code": "MLFL"},
            {"booking_references": ("OTHER",)},
            {"equipment": (BOX_1, FOREIGN_BOX)},
            {"sailings": ()},
            {"notify": (reference_to("bankcq"), reference_to("straits"))},
            {"shipper": _contradicted("yunling")},
            {"shipper": PartyReference(name="yunling", codes=frozenset())},
            {"endorsee": reference_to("xlsc")},
            {"endorsee": reference_to("operator")},
            {"place_of_delivery": f"SG-{c.randrange(3)}", "issue_date": today},
        )
    )
    made = shipped if c.random() < 0.4 else bill_of_lading
    facts = made(kind, **change)
    v.take(facts if c.random() < 0.8 else altered(facts, status="VOID"))
    if c.random() < 0.1:
        return v.issue(received_bytes=v.documents[0].received_bytes)
    if c.random() < 0.7:
        version = v.draft.version.version + 1 if v.draft.version else 1
        v.publish_draft(version)
        v.approve(version)
    named = [
        code for kind, code in (facts.endorsee.codes if facts.endorsee else ()) if kind == "SLUG"
    ]
    if named and c.random() < 0.5:
        return v.issue(parties={"title_holder": named[0]}, **without_custody(bend))
    return _issue(v, c, bend)


def _contradicted(slug: str) -> PartyReference:
    """The party by its slug, with another company's number."""
    return PartyReference(name=slug, codes=frozenset({("SLUG", slug), ("LEI", "ANOTHER")}))


def _key_twice_revoked(v: Voyage, c: random.Random, bend: Bend) -> object:
    slug = c.choice(TRADERS)
    v.add_key(slug, 2)
    v.revoke_key(slug, 2)
    return v.revoke_key(slug, 2, **without_custody(bend))


def _time_runs_out(v: Voyage, c: random.Random, bend: Bend) -> object:
    """A key and a mandate used a minute before, at, and a minute after they begin or end."""
    moment, slug = v.now + timedelta(minutes=30), c.choice(TRADERS)
    validity = c.choice(({"valid_until": moment}, {"valid_from": moment}))
    v.add_key(slug, 3, key=key_of(slug, 3, **validity))
    v.grant_mandate("yunling", "shadow", moment)
    v.wait(minutes=c.choice((29, 30, 31)))
    with suppress(errors.Refusal):
        v.submit_instructions("shadow")
    return v.accept_rulebook(slug, digest(v.now), signed_with=f"key-{slug}-3")


def _party(v: Voyage, c: random.Random, bend: Bend) -> object:
    slug = c.choice((*PARTIES, *TRADERS, "nobody"))
    how = without_custody(bend)
    if c.random() < 0.15:
        how["by"] = c.choice(("operator", "shadow", slug))
    number = c.choice((1, 2, 2, 3))
    until = c.choice((None, v.now, v.now + timedelta(minutes=30)))
    key = key_of(slug, number, valid_from=c.choice((None, v.now)), valid_until=until)
    match c.randrange(9):
        case 0:
            return v.add_key(slug, number, key=key, **how)
        case 1:
            return v.rotate_key(slug, number, **how)
        case 2:
            return v.revoke_key(slug, number, **how)
        case 3:
            return v.accept_rulebook(slug, c.choice((RULEBOOK, digest("2.0"))), **how)
        case 4:
            to = c.choice(("qiaolian", "shadow", "bankcq", "nobody"))
            return v.grant_mandate("yunling", to, until, **how)
        case 5:
            return v.revoke_mandate("yunling", c.choice(("qiaolian", "shadow")), **how)
        case 6:
            return v.suspend(slug, **how)
        case 7:
            return v.reinstate(slug, **how)
        case _:
            return v.transfer(slug, to=_to(c), signed_with=f"key-{slug}-{number}")


def _register(v: Voyage, c: random.Random, bend: Bend) -> object:
    """Mostly a newcomer, right or with one thing wrong."""
    slug = c.choice(("operator", *PARTIES))
    number = c.choice(("LEI ZZZZ00SHIPPERYUNL031", "LEI ZZZZ00SHIPPERYUNL032", "USCC X", "NRIC 1"))
    kind, value = number.split(" ")
    listed = c.choice(((), (e.Identifier(type=kind, value=value),)))
    place = {"un_location_code": "SGSIN"}
    facility = e.Facility(
        **place,
        name=c.choice((None, "P")),
        code=c.choice((None, "X")),
        provider=c.choice((None, "BIC")),
    )
    changes: Bend = c.choice(
        (
            {},
            {"roles": frozenset(c.sample(tuple(e.Role), c.choice((1, 1, 2))))},
            {"carrier_code": e.CarrierCode(code="XLSC", provider="NMFTA")},
            {"roles": frozenset({e.Role.TERMINAL}), "facilities": (facility,)},
            {"facilities": (facility,)},
            {**NOTHING_MORE, "roles": frozenset({e.Role.EXCHANGE})},
            {**NOTHING_MORE, "roles": frozenset({e.Role.EXCHANGE, e.Role.BANK})},
            {"by": "xlsc"},
            {"key": key_of(slug, 1, alg="ES256")},
            {"alg": "ES256"},
            {"signed_with": "key-operator-2"},
            {"identity": e.Identity(legal_name="N", country="SG", identifiers=listed)},
        )
    )
    stream = {"stream": f"party:newcomer{c.randrange(3)}"} if c.random() < 0.7 else {}
    if v.world.party(OPERATOR) is None:
        slug, stream = OPERATOR, {}
    return v.register(slug, **{**without_custody(bend), **stream, **changes})


ATTEMPTS: tuple[Attempt, ...] = (
    *(
        _passed_on,
        _passed_on,
        _transfer,
        _transfer,
        _endorse,
        _endorse,
        _holder_act,
        _holder_act,
        _holder_act,
    ),
    *(_carrier_act, _carrier_act, _carrier_act, _notation, _order, _order, _cancel_other),
    *(_custody, _custody, _custody, _journey, _customs, _gate_out, _gate_out, _gate_out),
    *(_draft, _draft, _book, _issue, _issue, _other_document, _other_document),
    *(_party, _party, _register, _register, _refused_at_once, _suspended_meanwhile),
    *(
        _two_loadings,
        _one_box_has_left,
        _key_twice_revoked,
        _time_runs_out,
        _order_runs_out,
        _another_terminal,
    ),
)
