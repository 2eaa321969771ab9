"""The bundle's file format, member by member; what the file proves is the verifier's matter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from marshmallow import validate

from bol_service.crypto import jws, strictjson
from bol_service.ledger.note import to_base64
from bol_service.verification import bundle as bundles
from bol_service.verification.bundle import (
    BundleError,
    HiddenEntry,
    ShownEntry,
    UnknownVersionError,
    read_bundle,
    read_statement,
)
from tests import bundle_case
from tests.bundle_case import Case

Json = dict[str, Any]
HASH = to_base64(bytes(32))
HIDDEN: Json = {
    "digest": "ab" * 32,
    "index": 7,
    "proof": [HASH],
    "sequence": 3,
    "tag": "cd" * 32,
}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    yield from bundle_case.one_bill(tmp_path_factory.mktemp("one-bill"))


def read(value: Json) -> bundles.Bundle:
    return read_bundle(strictjson.canonical(value))


def test_a_bundle_is_written_as_it_was_read(case: Case) -> None:
    value = case.value | {"entries": [*case.value["entries"], HIDDEN]}
    bundle = read(value)
    assert json.loads(bundle.to_bytes()) == value
    assert isinstance(bundle.entries[0], ShownEntry)
    assert bundle.entries[-1] == HiddenEntry(
        index=7,
        tag=bytes.fromhex("cd" * 32),
        sequence=3,
        digest=bytes.fromhex("ab" * 32),
        proof=(bytes(32),),
    )


def test_a_bundle_without_a_document_says_nothing_of_it(case: Case) -> None:
    bundle = replace(read_bundle(case.content), document=None)
    assert "document" not in json.loads(bundle.to_bytes())
    assert read_bundle(bundle.to_bytes()).document is None


def test_a_bundle_has_exactly_the_members_of_its_version(case: Case) -> None:
    assert case.value.keys() == {"checkpoint", "document", "entries", "statement", "v"}
    assert case.value["v"] == 1
    assert case.value["entries"][0].keys() == {"event", "index", "proof", "recordedAt"}


@pytest.mark.parametrize("name", ["checkpoint", "entries", "statement", "v"])
def test_no_member_of_a_bundle_may_be_missing(case: Case, name: str) -> None:
    value = case.value
    del value[name]
    with pytest.raises(BundleError, match=f"'{name}'.*required"):
        read(value)


@pytest.mark.parametrize("name", HIDDEN)
def test_no_member_of_a_placeholder_may_be_missing(case: Case, name: str) -> None:
    rest = {member: value for member, value in HIDDEN.items() if member != name}
    with pytest.raises(BundleError, match=r"required|neither an event nor a placeholder"):
        read(case.value | {"entries": [rest]})


@pytest.mark.parametrize("name", ["event", "index", "proof", "recordedAt"])
def test_no_member_of_an_entry_may_be_missing(case: Case, name: str) -> None:
    entry = case.value["entries"][0]
    del entry[name]
    with pytest.raises(BundleError, match=r"required|neither an event nor a placeholder"):
        read(case.value | {"entries": [entry]})


NO_ENTRIES = {
    "both an event and a placeholder": {"event": "a.b.c", "recordedAt": "2027-03-05T08:00:00.000Z"},
    "a member nobody knows": {"note": ""},
    "a digest in capitals": {"digest": "AB" * 32},
    "a digest with blanks": {"digest": " ".join(["ab"] * 32)},
    "a digest of 31 bytes": {"digest": "ab" * 31},
    "a digest of 33 bytes": {"digest": "ab" * 33},
    "a digest that is none": {"digest": "xy" * 32},
    "a tag of 31 bytes": {"tag": "cd" * 31},
    "a tag in capitals": {"tag": "CD" * 32},
    "an index in quotes": {"index": "7"},
    "an index below the first": {"index": -1},
    "an index that is a truth value": {"index": True},
    "a sequence in quotes": {"sequence": "3"},
    "a sequence below the first": {"sequence": -1},
    "a proof that is no list": {"proof": HASH},
    "a proof of a number": {"proof": [1]},
    "a proof in base64 without its padding": {"proof": [HASH.rstrip("=")]},
    "a proof longer than any tree is high": {"proof": [HASH] * 64},
}


@pytest.mark.parametrize("change", NO_ENTRIES.values(), ids=NO_ENTRIES)
def test_an_entry_is_refused_that_has(case: Case, change: Json) -> None:
    with pytest.raises(BundleError, match=r"not a bundle|entry 7 is neither|entry 7: "):
        read(case.value | {"entries": [HIDDEN | change]})


def test_a_digest_that_is_none_is_named_with_its_entry(case: Case) -> None:
    with pytest.raises(BundleError, match="entry 7: 'ab' is not a lower-case hex SHA-256"):
        read(case.value | {"entries": [HIDDEN | {"digest": "ab"}]})


def test_a_proof_may_be_as_long_as_a_tree_is_high(case: Case) -> None:
    (entry,) = read(case.value | {"entries": [HIDDEN | {"proof": [HASH] * 63}]}).entries
    assert len(entry.proof) == 63


@pytest.mark.parametrize(
    "change",
    [{"event": "no JWS"}, {"recordedAt": "yesterday"}],
    ids=["an event that is no JWS", "a time that is none"],
)
def test_a_shown_entry_is_refused_that_has(case: Case, change: Json) -> None:
    entry = case.value["entries"][0] | change
    with pytest.raises(BundleError, match="entry 0"):
        read(case.value | {"entries": [entry]})


def test_a_bundle_has_one_entry_and_a_hundred_thousand_at_most() -> None:
    """As it is declared: so many entries cannot be read in the time of a test."""
    limit = bundles.BundleSchema().fields["entries"].validators[0]
    assert isinstance(limit, validate.Length)
    assert (limit.min, limit.max) == (1, 100_000)


def test_a_bundle_is_read_up_to_its_largest_size() -> None:
    with pytest.raises(BundleError, match="not a bundle: not JSON"):
        read_bundle(b" " * 20_000_000)
    with pytest.raises(BundleError, match="at most 20000000 are read"):
        read_bundle(b" " * 20_000_001)


@pytest.mark.parametrize(
    "version",
    [0, 2, "1", None, True, [1]],
    ids=["the last one", "the next one", "in quotes", "null", "true", "a list"],
)
def test_a_bundle_is_of_version_one(case: Case, version: object) -> None:
    with pytest.raises(BundleError) as refused:
        read(case.value | {"v": version})
    understood = version in (None, True)  # malformed rather than of another version
    assert isinstance(refused.value, UnknownVersionError) is not understood


# -- the statement -------------------------------------------------------------------------------


def resigned(case: Case, drop: str = "", **changes: object) -> str:
    """The case's statement with other members, signed by the platform."""
    value = json.loads(jws.parse(case.value["statement"], "ebl-title+jws").payload) | changes
    value.pop(drop, None)
    return jws.sign(strictjson.canonical(value), "ebl-title+jws", case.world.statement_signer)


def test_a_statement_is_written_as_it_was_read(case: Case) -> None:
    statement, parsed = read_statement(case.value["statement"])
    again, _ = read_statement(statement.sign(case.world.statement_signer))
    assert again == statement
    members = json.loads(parsed.payload)
    assert members.keys() == {
        "at",
        "bill",
        "checkpointDigest",
        "final",
        "heads",
        "origin",
        "possessor",
        "root",
        "size",
        "status",
        "titleHolder",
        "v",
    }
    assert members["heads"].keys() == statement.heads.keys()
    assert {tuple(sorted(head)) for head in members["heads"].values()} == {("digest", "sequence")}


def test_a_statement_about_a_partial_file_does_not_name_who_controls_the_bill(case: Case) -> None:
    statement, _ = read_statement(case.value["statement"])
    signed = replace(statement, control=None).sign(case.world.statement_signer)
    again, parsed = read_statement(signed)
    assert again.control is None
    assert not json.loads(parsed.payload).keys() & {"possessor", "titleHolder", "final"}


@pytest.mark.parametrize(
    "name", ["at", "bill", "checkpointDigest", "heads", "origin", "root", "size", "status", "v"]
)
def test_no_member_of_a_statement_may_be_missing(case: Case, name: str) -> None:
    with pytest.raises(BundleError, match=f"'{name}'.*required"):
        read_statement(resigned(case, drop=name))


@pytest.mark.parametrize(
    "changes",
    [
        {"note": ""},
        {"root": "x"},
        {"size": "10"},
        {"bill": "x"},
        {"checkpointDigest": "x"},
        {"at": "yesterday"},
        {"final": 0},
        {"possessor": None},
        {"possessor": "NO SLUG"},
        {"titleHolder": "NO SLUG"},
        {"heads": {"bill:x": {"digest": "ab" * 32}}},
        {"heads": {"bill:x": {"sequence": 1}}},
        {"heads": {"bill:x": {"sequence": 1, "digest": "x"}}},
        {"heads": {"bill:x": {"sequence": -1, "digest": "ab" * 32}}},
        {"heads": {"bill:x": {"sequence": 1, "digest": "ab" * 32, "note": ""}}},
    ],
    ids=str,
)
def test_a_statement_is_refused_with(case: Case, changes: Json) -> None:
    with pytest.raises(BundleError, match="no title statement"):
        read_statement(resigned(case, **changes))


def test_a_statement_of_another_version_is_not_understood(case: Case) -> None:
    with pytest.raises(UnknownVersionError):
        read_statement(resigned(case, v=2))


def test_a_statement_is_byte_equal_to_its_own_canonical_form(case: Case) -> None:
    value = json.loads(jws.parse(case.value["statement"], "ebl-title+jws").payload)
    spaced = json.dumps(value, sort_keys=True).encode()
    signed = jws.sign(spaced, "ebl-title+jws", case.world.statement_signer)
    with pytest.raises(BundleError, match="differs from its own RFC 8785 form"):
        read_statement(signed)


def test_a_statement_is_read_up_to_its_largest_size() -> None:
    with pytest.raises(BundleError, match="three non-empty parts"):
        read_statement("a" * 1_000_000)
    with pytest.raises(BundleError, match="at most 1000000 are taken"):
        read_statement("a" * 1_000_001)


def test_a_checkpoint_s_digest_is_that_of_the_whole_note() -> None:
    """SHA-256 of the empty text, then of abc (FIPS 180-4)."""
    assert bundles.checkpoint_digest("").startswith("e3b0c44298fc1c14")
    assert bundles.checkpoint_digest("abc").startswith("ba7816bf8f01cfea")


CHAIN = "e30.e30.AA"


def test_a_bundle_holds_the_chains_by_which_a_bill_came(case: Case) -> None:
    written = replace(read_bundle(case.content), chains=(CHAIN, f"{CHAIN}AA")).to_bytes()
    assert json.loads(written)["chains"] == [CHAIN, f"{CHAIN}AA"]
    assert read_bundle(written).to_bytes() == written


@pytest.mark.parametrize(
    "chains", [[], [""], ["e30.e30"], ["e30.e30.AA\n"], ["重.庆.市"], [None], CHAIN, {}]
)
def test_chains_are_refused_that_are_no_signed_entries(case: Case, chains: object) -> None:
    value = {**json.loads(case.content), "chains": chains}
    with pytest.raises(BundleError):
        read_bundle(strictjson.canonical(value))
