"""The order of judgement, the time window, keys by log order, and answers that look alike.

The last test here sees to it that every refusal the law can speak is provoked by some table.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bol_service.domain import errors, world
from bol_service.domain.events import LoadedRail, Transfer
from bol_service.domain.identifiers import custody_stream
from tests.law import Refused, Voyage, issued, rows
from tests.law_journal import verdict
from tests.law_scene import BOX_1, SHIPMENT, digest, key_of

HERE = Path(__file__).parent
DOMAIN = Path(world.__file__).parent
Begin = Callable[[], Voyage]


def _sign_on(v: Voyage, **how: Any) -> object:
    return v.show_control("yunling", **how)


AUDIENCE = (
    Refused(
        "an event for another ledger",
        errors.BadEvent,
        issued,
        lambda v: _sign_on(v, audience="demo.sg.example/ebl"),
        "/audience",
    ),
)
TIME = (
    Refused(
        "signed more than 24 hours before the recording",
        errors.BadTime,
        issued,
        lambda v: _sign_on(v, at=v.now - timedelta(hours=24, milliseconds=1)),
        "/at",
    ),
    Refused(
        "signed more than 5 minutes after the recording",
        errors.BadTime,
        issued,
        lambda v: _sign_on(v, at=v.now + timedelta(minutes=5, milliseconds=1)),
        "/at",
    ),
)


def _with_second_key(**validity: timedelta) -> Begin:
    def begin() -> Voyage:
        voyage = issued()
        moments = {name: voyage.now + span for name, span in validity.items()}
        voyage.add_key("yunling", key=key_of("yunling", 2, **moments))
        return voyage

    return begin


SECOND = "key-yunling-2"
KEYS = (
    Refused(
        "an actor that is not registered",
        errors.WrongKey,
        issued,
        lambda v: v.show_control("nobody"),
        "/actor",
    ),
    Refused(
        "a key of another party",
        errors.WrongKey,
        issued,
        lambda v: _sign_on(v, signed_with="key-shadow-1"),
        "/actor",
    ),
    Refused(
        "an algorithm that the key is not pinned to",
        errors.BadSignature,
        issued,
        lambda v: _sign_on(v, alg="ES256"),
    ),
    Refused(
        "a revoked key",
        errors.KeyRevoked,
        lambda: _with_second_key()().then(lambda v: v.revoke_key("yunling", 2)),
        lambda v: _sign_on(v, signed_with=SECOND),
    ),
    Refused(
        "a key that was rotated away",
        errors.KeyRevoked,
        lambda: issued().then(lambda v: v.rotate_key("yunling")),
        _sign_on,
    ),
    Refused(
        "a key before its validity",
        errors.KeyRevoked,
        _with_second_key(valid_from=timedelta(milliseconds=1)),
        lambda v: _sign_on(v, signed_with=SECOND),
    ),
    Refused(
        "a key at the end of its validity",
        errors.KeyRevoked,
        _with_second_key(valid_until=timedelta(0)),
        lambda v: _sign_on(v, signed_with=SECOND),
    ),
    Refused(
        "a key whose validity ended between signing and recording",
        errors.KeyRevoked,
        _with_second_key(valid_until=timedelta(hours=1)),
        lambda v: _sign_on(v, signed_with=SECOND, recorded_at=v.now + timedelta(hours=1)),
    ),
    Refused(
        "a suspended actor",
        errors.Suspended,
        lambda: issued().then(lambda v: v.suspend("yunling")),
        _sign_on,
        "/actor",
    ),
)
HEADS = (
    Refused(
        "a sequence that was used",
        errors.StaleHead,
        issued,
        lambda v: _sign_on(v, sequence=0),
        "/sequence",
    ),
    Refused(
        "a sequence that leaves one out",
        errors.StaleHead,
        issued,
        lambda v: _sign_on(v, sequence=2),
        "/sequence",
    ),
    Refused(
        "a previous event that is not the head",
        errors.StaleHead,
        issued,
        lambda v: _sign_on(v, previous=digest("another event")),
        "/previous",
    ),
    Refused(
        "no previous event where there is one",
        errors.StaleHead,
        issued,
        lambda v: _sign_on(v, previous=None),
        "/previous",
    ),
    Refused(
        "a previous event where there is none",
        errors.StaleHead,
        lambda: Voyage(until="booked"),
        lambda v: v.gate_in(previous=digest("another event")),
        "/previous",
    ),
    Refused(
        "a first event that does not begin with 0",
        errors.StaleHead,
        lambda: Voyage(until="booked"),
        lambda v: v.gate_in(sequence=1),
        "/sequence",
    ),
)


@pytest.mark.parametrize("row", rows((*AUDIENCE, *TIME, *KEYS, *HEADS)))
def test_refused(row: Refused) -> None:
    row.check()


@pytest.mark.parametrize(
    "late",
    [timedelta(hours=24), timedelta(0), timedelta(minutes=-5)],
    ids=["24 hours before", "at the moment of", "5 minutes after"],
)
def test_an_event_may_be_signed_this_long_before_its_recording(late: timedelta) -> None:
    voyage = issued()

    _sign_on(voyage, at=voyage.now - late)

    assert voyage.bill.giving is None


@pytest.mark.parametrize(
    "validity",
    [
        {"valid_from": timedelta(0)},
        {"valid_until": timedelta(milliseconds=1)},
        {"valid_from": timedelta(hours=-1), "valid_until": timedelta(hours=1)},
    ],
    ids=["that begins now", "that ends in a moment", "in the middle of its validity"],
)
def test_a_key_counts(validity: dict[str, timedelta]) -> None:
    voyage = _with_second_key(**validity)()

    _sign_on(voyage, signed_with=SECOND)


def test_what_a_key_signed_before_it_was_revoked_stays() -> None:
    voyage = issued().then(lambda v: v.transfer("yunling", to="bankcq"))
    control = voyage.control

    voyage.revoke_key("yunling", compromised_since=voyage.now - timedelta(days=30))

    assert voyage.control == control
    replayed = world.World("demo.cq.example/ebl", voyage.documents)
    for entry in voyage.entries:
        replayed.apply(entry)
    assert replayed.states == voyage.world.states


def test_a_suspended_party_can_still_revoke_its_keys() -> None:
    voyage = Voyage().then(lambda v: v.suspend("yunling"), lambda v: v.revoke_key("yunling"))

    (key,) = voyage.party("yunling").keys
    assert key.ended is not None


def test_a_suspended_party_adds_no_key() -> None:
    voyage = Voyage().then(lambda v: v.suspend("yunling"))

    with voyage.refuses(errors.Suspended):
        voyage.add_key("yunling")


def test_an_act_that_came_too_late_is_stale_even_when_control_has_come_back() -> None:
    voyage = issued()
    late = voyage.signed(Transfer, "yunling", voyage.stream, recipient="straits")
    voyage.transfer("yunling", to="bankcq")
    voyage.transfer("bankcq", to="yunling")

    with voyage.refuses(errors.StaleHead):
        voyage.record(late)


def test_of_two_transfers_of_one_head_only_the_first_counts() -> None:
    voyage = issued()
    first, second = (
        voyage.signed(Transfer, "yunling", voyage.stream, recipient=slug)
        for slug in ("straits", "nusantara")
    )
    voyage.record(first)

    with voyage.refuses(errors.StaleHead):
        voyage.record(second)


@pytest.mark.parametrize("year", [1, 9999])
def test_an_entry_recorded_at_the_end_of_the_calendar_is_refused_and_breaks_nothing(
    year: int,
) -> None:
    edge = datetime(year, 1, 1, tzinfo=UTC) if year == 1 else datetime(year, 12, 31, 23, tzinfo=UTC)
    voyage = issued()

    with voyage.refuses(errors.BadTime, pointer="/at"):
        voyage.show_control("yunling", recorded_at=edge)


# -- the order of judgement ----------------------------------------------------------------------

# Each step breaks one rule more than the one after it; the first rule broken speaks.
LADDER: tuple[tuple[type[errors.Refusal], dict[str, Any]], ...] = (
    (errors.BadEvent, {"audience": "demo.sg.example/ebl"}),
    (errors.BadTime, {"at": Voyage().now - timedelta(days=300)}),
    (errors.WrongKey, {"signed_with": "key-nobody"}),
    (errors.NotFound, {"actor_is": "shadow"}),
    (errors.StaleHead, {"sequence": 99}),
    (errors.PendingSurrender, {}),
)


@pytest.mark.parametrize(
    "broken", range(len(LADDER)), ids=[f"{reason.code} speaks" for reason, _ in LADDER]
)
def test_the_first_broken_rule_speaks(broken: int) -> None:
    voyage = Voyage(until="surrendered")
    how: dict[str, Any] = {}
    for _, change in LADDER[broken:]:
        how.update(change)
    actor = how.pop("actor_is", "bankcq" if broken < 3 else "yunling")

    pointer = "/stream" if LADDER[broken][0] is errors.NotFound else None
    with voyage.refuses(LADDER[broken][0], pointer=pointer):
        voyage.transfer(actor, to="yunling", **how)


def test_the_state_of_the_document_speaks_before_the_actor() -> None:
    ended = Voyage(until="accepted")

    with ended.refuses(errors.TerminalState):
        ended.transfer("auditor", to="straits")


def test_the_key_speaks_before_the_suspension() -> None:
    voyage = issued().then(
        lambda v: v.add_key("yunling"),
        lambda v: v.revoke_key("yunling", 2),
        lambda v: v.suspend("yunling"),
    )

    with voyage.refuses(errors.KeyRevoked):
        _sign_on(voyage, signed_with=SECOND)
    with voyage.refuses(errors.BadSignature):
        _sign_on(voyage, signed_with=SECOND, alg="ES256")


# -- unknown and secret look alike ---------------------------------------------------------------

STRANGERS = ("shadow", "nusantara", "bankcq", "merlion", "sgaudit", "operator", "straits")


@pytest.mark.parametrize("slug", STRANGERS)
@pytest.mark.parametrize("sequence", [0, 1, 99], ids=["first", "next", "far"])
def test_a_bill_that_is_not_there_and_one_that_is_secret_look_alike(
    slug: str, sequence: int
) -> None:
    voyage = issued()
    secret, absent = voyage.stream, f"bill:{digest('no such bill')}"

    def answer(stream: str) -> Any:
        act = voyage.signed(
            Transfer, slug, stream, recipient="straits", sequence=sequence, previous=None
        )
        said = verdict(voyage.world, act)
        assert isinstance(said, tuple)
        return said[0], said[1].replace(stream, "the stream")

    assert answer(secret) == answer(absent)
    assert answer(secret)[0] is errors.NotFound


@pytest.mark.parametrize("slug", ["shadow", "bankcq", "straits", "merlion", "operator"])
def test_custody_that_is_not_there_and_custody_that_is_secret_look_alike(slug: str) -> None:
    secret, absent = issued(), Voyage().clock("2027-03-01 11:05")
    day = secret.now.date()

    def answer(voyage: Voyage) -> Any:
        act = voyage.signed(
            LoadedRail,
            slug,
            custody_stream(SHIPMENT, BOX_1),
            sequence=1,
            previous=None,
            occurred_at=voyage.now,
            local_date=day,
            train="LSC-0301A",
            waybill="R7781203",
        )
        return verdict(voyage.world, act)

    assert answer(secret) == answer(absent)
    assert answer(secret)[0] is errors.NotFound


# -- judging changes nothing ---------------------------------------------------------------------


def test_judging_alone_changes_nothing() -> None:
    voyage = issued()
    before = voyage.world.states, voyage.world.heads
    act = voyage.signed(Transfer, "yunling", voyage.stream, recipient="bankcq")

    after = voyage.world.judge(act)

    assert (voyage.world.states, voyage.world.heads) == before
    assert voyage.world.apply(act) == after


def test_the_states_that_a_world_gives_out_are_copies() -> None:
    voyage = issued()

    voyage.world.states.clear()
    voyage.world.heads.clear()

    assert voyage.status


def test_the_head_is_the_last_entry_of_the_stream() -> None:
    voyage = issued()

    head = voyage.world.head(voyage.stream)

    assert head is not None
    assert (head.sequence, head.digest) == (0, voyage.entries[-1].digest)


def test_a_party_is_not_found_under_another_kind_of_stream() -> None:
    voyage = issued()
    bill, draft = voyage.world.states[voyage.stream], voyage.draft
    head = voyage.world.head(voyage.stream)
    assert head is not None

    voyage.world.put("party:odd", bill, head)
    voyage.world.put("bill:odd", draft, head)
    voyage.world.put("draft:odd", bill, head)
    voyage.world.put("custody:odd:odd", bill, head)

    assert voyage.world.party("odd") is None
    assert voyage.world.bill("odd") is None
    assert voyage.world.draft("odd") is None
    assert voyage.world.custody("odd", "odd") is None


def test_a_document_is_known_by_the_digest_of_its_bytes() -> None:
    voyage = issued()

    assert voyage.world.document(voyage.document.received_bytes) == voyage.document
    assert voyage.world.document(voyage.document.checksum) is None


# -- every refusal has a row ---------------------------------------------------------------------


def _named(tree: ast.AST) -> set[str]:
    """The classes of `errors` that a piece of code names."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "errors"
    }


def _raised(file: Path) -> set[str]:
    raises = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Raise)]
    return set().union(*map(_named, raises))


def _provoked(file: Path) -> set[str]:
    calls = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call))
    tables = [
        call
        for call in calls
        if (isinstance(call.func, ast.Name) and call.func.id in ("Refused", "registering"))
        or (isinstance(call.func, ast.Attribute) and call.func.attr == "refuses")
    ]
    return set().union(*map(_named, tables))


def test_every_refusal_that_the_law_raises_is_provoked_by_a_row() -> None:
    raised = set().union(*map(_raised, DOMAIN.glob("*.py")))
    provoked = set().union(*map(_provoked, HERE.glob("test_*.py")))

    assert raised
    assert raised - provoked == set()


def test_every_refusal_raised_is_in_the_catalogue_under_its_own_code() -> None:
    raised = set().union(*map(_raised, DOMAIN.glob("*.py")))
    catalogue = {refusal.__name__: refusal for refusal in errors.refusals()}

    assert raised <= catalogue.keys()
    assert len({refusal.code for refusal in catalogue.values()}) == len(catalogue)


@pytest.mark.parametrize(
    ("begin", "reason"),
    [
        (
            lambda: _with_second_key()().then(lambda v: v.revoke_key("yunling", 2)),
            r"ended with entry [0-9]+ of the log",
        ),
        (_with_second_key(valid_until=timedelta(0)), "outside its validity"),
    ],
    ids=["it was revoked", "its time has run out"],
)
def test_the_answer_says_why_a_key_does_not_count(begin: Begin, reason: str) -> None:
    voyage = begin()
    with pytest.raises(errors.KeyRevoked, match=reason):
        _sign_on(voyage, signed_with=SECOND)


def test_a_world_tells_the_state_of_each_stream_by_its_name() -> None:
    voyage = issued()
    assert voyage.world.state(voyage.stream) is voyage.bill
    assert voyage.world.state("bill:unknown") is None
