"""Whatever a document holds: all of it is committed to, any part can be shown, nothing else is."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bol_service.crypto import base64url, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.wire.disclosure import parse, parse_full
from bol_service.wire.field_classes import is_at_or_below, leaves, units
from bol_service.wire.json_pointer import value_at
from tests.disclosed_bill import of_document
from tests.documents import corridor_document

SIGNER = LocalSigner(generate(Algorithm.ED25519))
NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6
).filter(lambda name: name not in ("_sd", "..."))
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.sampled_from([0.5, -1.25, 1e-3, 18450.75])
    | NAMES
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
EXTRAS = st.dictionaries(
    NAMES.filter(lambda name: name not in corridor_document()),
    VALUES,
    max_size=4,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """The corridor's document with members that no standard knows, at three depths."""
    document = corridor_document() | draw(EXTRAS)
    document["documentParties"]["shipper"].update(draw(EXTRAS))
    document["consignmentItems"][0].update(draw(EXTRAS))
    return document


@settings(max_examples=60, deadline=None)
@given(documents())
def test_the_pieces_make_the_document_again(document: dict[str, Any]) -> None:
    full = parse_full(of_document(document, SIGNER).to_text())
    assert strictjson.canonical(full.document()) == strictjson.canonical(document)
    for piece in full.disclosed:
        found = value_at(document, piece.pointer)
        assert strictjson.canonical(found) == strictjson.canonical(piece.value)


@settings(max_examples=60, deadline=None)
@given(documents(), st.data())
def test_a_presentation_holds_what_was_chosen_and_nothing_else(
    document: dict[str, Any], data: st.DataObject
) -> None:
    full = of_document(document, SIGNER)
    chosen = data.draw(st.sets(st.sampled_from([piece.pointer for piece in full.disclosed])))
    part = parse(full.only(lambda piece: piece.pointer in chosen).to_text())
    assert {piece.pointer for piece in part.disclosed} == chosen
    assert part.hidden == len(full.committed) - len(chosen)
    decoded = [base64url.decode(text) for text in part.to_text().split("~")[1:-1]]
    shown = {strictjson.loads_document(raw)[1] for raw in decoded}  # type: ignore[index]
    assert shown == chosen


@settings(max_examples=60, deadline=None)
@given(documents())
def test_every_value_of_a_document_is_in_one_piece_of_its_class(document: dict[str, Any]) -> None:
    pieces = units(document)
    for leaf in leaves(document):
        around = [piece for piece in pieces if is_at_or_below(leaf.pointer, piece.pointer)]
        assert [piece.kind for piece in around] == [leaf.kind]
