"""Who may know what of a bill: relations, the permission grid, and what a former holder keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bol_service.domain import access
from bol_service.domain.access import Group, Relation
from bol_service.domain.events import Action, Leg, Step
from bol_service.domain.title import controllers, controls
from bol_service.domain.world import World
from tests.law import Voyage, issued, with_bank
from tests.law_border import Arriving, Leaving, step
from tests.law_scene import ORIGIN, PARTIES

R, G = Relation, Group
Begin = Callable[[], Voyage]


def transfer(giver: str) -> Step:
    """To a party of this platform, as a chain from abroad tells it."""
    return step(Action.TRANSFER, giver, "bankcq")


def test_a_party_controls_a_bill_if_it_is_one_of_its_controllers() -> None:
    """Possessor, title holder, or who has surrendered it; nobody else, and never nobody."""
    states = [issued().bill, with_bank().bill]
    states += [
        replace(state, surrendered_by="banksg", control=replace(state.control, title_holder=None))
        for state in states
    ]
    for state in states:
        for slug in PARTIES:
            assert controls(state, slug) == (slug in controllers(state)), (state.control, slug)
    assert {slug for slug in PARTIES if controls(states[-1], slug)} == controllers(states[-1])


def related(voyage: Voyage, slug: str) -> frozenset[Relation]:
    return access.relations(voyage.world, voyage.bill, slug)


RELATIONS: tuple[tuple[str, Begin, dict[str, set[Relation]]], ...] = (
    (
        "a new bill",
        issued,
        {
            "xlsc": {R.CARRIER},
            "yunling": {R.SHIPPER, R.HOLDER},
            "qiaolian": {R.FORWARDER},
            "guoyuan": {R.CUSTODIAN},
            "wrail": {R.CUSTODIAN},
            "qinzhou": {R.CUSTODIAN},
            "sgterm": {R.CUSTODIAN, R.DELIVERY_TERMINAL},
            "cqcus": {R.CUSTOMS},
            "sgcus": {R.CUSTOMS},
            "auditor": {R.AUDITOR},
        },
    ),
    (
        "a bill with the bank, to the order of another bank",
        with_bank,
        {
            "xlsc": {R.CARRIER},
            "yunling": {R.SHIPPER, R.FORMER_HOLDER},
            "bankcq": {R.HOLDER},
            "banksg": {R.HOLDER},
            "qiaolian": {R.FORWARDER},
            "guoyuan": {R.CUSTODIAN},
            "wrail": {R.CUSTODIAN},
            "qinzhou": {R.CUSTODIAN},
            "sgterm": {R.CUSTODIAN, R.DELIVERY_TERMINAL},
            "cqcus": {R.CUSTOMS},
            "sgcus": {R.CUSTOMS},
            "auditor": {R.AUDITOR},
        },
    ),
)


@pytest.mark.parametrize("slug", [*PARTIES, "nobody"])
@pytest.mark.parametrize(
    ("begin", "grid"), [row[1:] for row in RELATIONS], ids=[row[0] for row in RELATIONS]
)
def test_relations_of_each_party(begin: Begin, grid: dict[str, set[Relation]], slug: str) -> None:
    assert related(begin(), slug) == grid.get(slug, set())


CHANGES: tuple[tuple[str, Begin, str, set[Relation]], ...] = (
    (
        "a former holder that gets the bill back is holder again",
        lambda: with_bank().then(lambda v: v.refuse("bankcq")),
        "yunling",
        {R.SHIPPER, R.HOLDER},
    ),
    (
        "who refused a bill is a former holder",
        lambda: with_bank().then(lambda v: v.refuse("bankcq")),
        "bankcq",
        {R.FORMER_HOLDER},
    ),
    (
        "who surrendered stays holder while the carrier has not answered",
        lambda: Voyage(until="surrendered"),
        "yunling",
        {R.SHIPPER, R.HOLDER},
    ),
    (
        "who surrendered stays holder after the answer",
        lambda: Voyage(until="accepted"),
        "yunling",
        {R.SHIPPER, R.HOLDER},
    ),
    (
        "a carrier that possesses a surrendered bill is holder too",
        lambda: Voyage(until="accepted"),
        "xlsc",
        {R.CARRIER, R.HOLDER},
    ),
    (
        "an endorsee without possession is holder",
        lambda: issued().then(lambda v: v.endorse("yunling", to="straits")),
        "straits",
        {R.HOLDER},
    ),
    (
        "an endorsee that was endorsed away is a former holder",
        lambda: issued().then(
            lambda v: v.endorse("yunling", to="straits", transfer_to="straits"),
            lambda v: v.endorse("straits", to="nusantara"),
            lambda v: v.transfer("straits", to="nusantara"),
        ),
        "straits",
        {R.FORMER_HOLDER},
    ),
    (
        "a forwarder whose mandate was revoked has no relation",
        lambda: issued().then(lambda v: v.revoke_mandate("yunling", to="qiaolian")),
        "qiaolian",
        set(),
    ),
    (
        "who refused an issue and has no other part in it is a former holder",
        lambda: Voyage(until="received").then(
            lambda v: v.issue(issue_to="bankcq"), lambda v: v.refuse("bankcq")
        ),
        "bankcq",
        {R.FORMER_HOLDER},
    ),
)


@pytest.mark.parametrize(
    ("begin", "slug", "expected"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES]
)
def test_a_relation_follows_the_acts(begin: Begin, slug: str, expected: set[Relation]) -> None:
    assert related(begin(), slug) == expected


def test_an_auditor_sees_carriers_of_its_own_country_only() -> None:
    voyage = issued()

    assert related(voyage, "auditor") == {R.AUDITOR}
    assert related(voyage, "sgaudit") == set()


# -- the grid ------------------------------------------------------------------------------------

GRID: dict[Relation, str] = {
    # S state, P parties, D document, C cargo, $ price, V declared value, T control, H chain,
    # h chain until disposal, E endorsements, K custody, O delivery orders, F drafts
    R.CARRIER: "SPDC$VTHEKOF",
    R.HOLDER: "SPDC$VTHEKO",
    R.AUDITOR: "SPDC$VTHEKOF",
    R.FORMER_HOLDER: "SPDC$h",
    R.SHIPPER: "SPDC$KF",
    R.FORWARDER: "SPCKF",
    R.CUSTODIAN: "SCK",
    R.DELIVERY_TERMINAL: "SO",
    R.CUSTOMS: "SPCVEKO",
}
LETTERS = {
    G.STATE: "S",
    G.PARTIES: "P",
    G.DOCUMENT: "D",
    G.CARGO: "C",
    G.PRICE: "$",
    G.DECLARED_VALUE: "V",
    G.CONTROL: "T",
    G.CHAIN: "H",
    G.CHAIN_UNTIL_DISPOSAL: "h",
    G.ENDORSEMENTS: "E",
    G.CUSTODY: "K",
    G.DELIVERY: "O",
    G.DRAFT: "F",
}


def test_the_grid_has_a_row_and_a_letter_for_everything() -> None:
    assert set(GRID) == set(Relation)
    assert set(LETTERS) == set(Group)


@pytest.mark.parametrize("group", list(Group))
@pytest.mark.parametrize("relation", list(Relation))
def test_each_relation_sees_what_the_grid_says(relation: Relation, group: Group) -> None:
    seen = group in access.groups(frozenset({relation}))

    assert seen is (LETTERS[group] in GRID[relation])


PASSING_ON: tuple[Begin, ...] = (
    lambda: with_bank().then(lambda v: v.refuse("bankcq")),
    lambda: issued().then(lambda v: v.endorse_finally("yunling", to="straits")),
    lambda: issued().then(
        lambda v: v.endorse_in_blank("yunling"),
        lambda v: v.surrender_for_amendment("yunling"),
        lambda v: v.reject_surrender(),
    ),
    lambda: Voyage(until="gone"),
    lambda: (left := Leaving().gone()).then(lambda _: left.returned(transfer("SGPX:banksg"))),
    lambda: (here := Arriving()).then(lambda _: here.arrive(transfer("CQGY:yunling"))),
)


def test_no_relation_sees_nothing() -> None:
    assert access.groups(frozenset()) == frozenset()


def test_two_relations_see_what_either_sees() -> None:
    both = access.groups(frozenset({R.SHIPPER, R.FORMER_HOLDER}))

    assert both == access.groups(frozenset({R.SHIPPER})) | access.groups(
        frozenset({R.FORMER_HOLDER})
    )


def test_the_endorsements_are_the_acts_that_change_who_controls_a_bill() -> None:
    """But for the surrender's acceptance, which is shown with the delivery orders."""
    changed = set()
    for begin in PASSING_ON:
        voyage, before = begin(), None
        world = World(ORIGIN, voyage.documents)
        for act in voyage.entries:
            world.apply(act)
            bill = world.bill(voyage.document.checksum)
            if bill is not None and bill.control != before:
                before = bill.control
                changed.add(act.event.action)

    assert changed == access.ENDORSEMENTS


# -- disposal ------------------------------------------------------------------------------------

DISPOSALS: tuple[tuple[str, Begin, str, int | None], ...] = (
    ("who never held the bill has disposed of nothing", issued, "bankcq", None),
    ("a holder has not disposed of it", issued, "yunling", None),
    ("a former holder disposed of it by its transfer", with_bank, "yunling", 2),
    (
        "the last disposal counts",
        lambda: with_bank().then(
            lambda v: v.transfer("bankcq", to="yunling"),
            lambda v: v.transfer("yunling", to="banksg"),
        ),
        "yunling",
        4,
    ),
    (
        "who has it again has not disposed of it",
        lambda: with_bank().then(lambda v: v.refuse("bankcq")),
        "yunling",
        None,
    ),
    (
        "who refused it disposed of it by refusing",
        lambda: with_bank().then(lambda v: v.refuse("bankcq")),
        "bankcq",
        3,
    ),
)


@pytest.mark.parametrize(
    ("begin", "slug", "sequence"), [row[1:] for row in DISPOSALS], ids=[row[0] for row in DISPOSALS]
)
def test_disposal(begin: Begin, slug: str, sequence: int | None) -> None:
    assert access.disposal(begin().bill, slug) == sequence


# -- drafts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", [*PARTIES, "nobody"])
def test_who_knows_a_draft(slug: str) -> None:
    voyage = Voyage(until="booked")

    knows = access.knows_draft(voyage.world, voyage.draft, slug)

    assert knows is (slug in {"xlsc", "yunling", "qiaolian", "auditor"})


def test_a_forwarder_under_mandate_knows_a_draft_on_which_it_was_not_booked() -> None:
    voyage = Voyage().then(lambda v: v.book(forwarder=None))

    assert access.knows_draft(voyage.world, voyage.draft, "qiaolian")


def test_a_booked_forwarder_knows_the_draft_without_a_mandate() -> None:
    voyage = Voyage(until="booked").then(lambda v: v.revoke_mandate("yunling", to="qiaolian"))

    assert access.knows_draft(voyage.world, voyage.draft, "qiaolian")


def test_a_mandate_that_has_run_out_gives_no_more_to_read() -> None:
    voyage = issued()
    later = voyage.now + timedelta(hours=1)
    voyage.grant_mandate("yunling", "qiaolian", until=later)
    world, bill, draft = voyage.world, voyage.bill, voyage.draft

    just_before = later - timedelta(milliseconds=1)
    assert access.relations(world, bill, "qiaolian", just_before) == {R.FORWARDER}
    assert access.relations(world, bill, "qiaolian", later) == frozenset()
    assert access.relations(world, bill, "qiaolian") == {R.FORWARDER}
    unbooked = replace(draft, forwarder=None)
    assert access.knows_draft(world, unbooked, "qiaolian", just_before)
    assert not access.knows_draft(world, unbooked, "qiaolian", later)


def test_the_terminal_that_an_order_names_sees_it_also_when_another_is_appointed() -> None:
    voyage = Voyage(until="ordered")
    voyage.appoint(Leg.DISCHARGE, "qinzhou")

    assert R.DELIVERY_TERMINAL in related(voyage, "sgterm")
    assert R.DELIVERY_TERMINAL in related(voyage, "qinzhou")
    assert R.DELIVERY_TERMINAL not in related(voyage, "guoyuan")
