"""Values kept beside their bytes are those that the bytes would give, and not without end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bol_service.domain.states import Identity, PartyState
from bol_service.storage.codec import encode_state
from bol_service.storage.recent import RecentStates

CARRIER = PartyState(
    slug="xlsc",
    identity=Identity(legal_name="Xinlu", country="CN", identifiers=()),
    roles=frozenset(),
)


def test_what_was_written_is_read_without_being_decoded_again() -> None:
    recent = RecentStates()
    assert recent.read("party", recent.write("party", CARRIER)) is CARRIER


def test_bytes_that_nobody_wrote_here_are_decoded_once() -> None:
    recent = RecentStates()
    first = recent.read("party", encode_state(CARRIER))
    assert first == CARRIER
    assert recent.read("party", encode_state(CARRIER)) is first


def test_a_changed_state_is_never_answered_with_the_earlier_one() -> None:
    recent = RecentStates()
    recent.write("party", CARRIER)
    suspended = replace(CARRIER, suspended=True)
    assert recent.read("party", encode_state(suspended)) == suspended


def test_bytes_of_another_kind_are_not_taken_for_it() -> None:
    recent = RecentStates()
    data = recent.write("party", CARRIER)
    with pytest.raises(ValueError, match="no state of kind 'bill'"):
        recent.read("bill", data)


def test_no_more_bytes_are_kept_than_allowed() -> None:
    size = len(encode_state(CARRIER))
    recent = RecentStates(max_bytes=3 * size)
    for number in range(30):
        recent.write("party", replace(CARRIER, slug=f"p{number:03}"))
        assert len(recent) <= 3
