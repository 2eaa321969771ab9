"""PINT messages are read as strictly as the standard describes them, and no stricter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from bol_service.wire.pint_answers import (
    ResponseCode,
    read_finished_response,
    read_receiver_validation,
    read_started_response,
)
from bol_service.wire.pint_entry import chain_entry, issuance_manifest
from bol_service.wire.pint_envelope import envelope_manifest
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.pint_parties import read_identifying_code
from tests.documents import Json

SUM: Final = "0123456789abcdef" * 4
JWS: Final = "e30.e30.AA"
GONE: Final = "(taken away)"
CODE: Final = {"codeListProvider": "ZZZ", "partyCode": "yunling", "codeListName": "CQGY-PARTY"}
PARTY: Final = {
    "partyName": "Yunling",
    "eblPlatform": "CQGY",
    "identifyingCodes": [CODE],
    "taxLegalReferences": [{"type": "UEN", "countryCode": "SG", "value": "209954321Z"}],
    "representedParty": {"partyName": "Somebody", "identifyingCodes": [CODE]},
}
DOCUMENT: Final = {
    "name": "bill.pdf",
    "size": 12,
    "mediaType": "application/pdf",
    "documentChecksum": SUM,
}
LAST: Final = "lastEnvelopeTransferChainEntrySignedContentChecksum"
PREVIOUS: Final = "previousEnvelopeTransferChainEntrySignedContentChecksum"
DUPLICATE: Final = "duplicateOfAcceptedEnvelopeTransferChainEntrySignedContent"
ENTRY: Final = {
    "eblPlatform": "CQGY",
    "transportDocumentChecksum": SUM,
    PREVIOUS: SUM,
    "issuanceManifestSignedContent": JWS,
    "controlTrackingRegistry": "https://control.example/v1",
    "transactions": [
        {
            "actionCode": "SURRENDER_FOR_AMENDMENT",
            "actor": PARTY,
            "recipient": PARTY,
            "actionDateTime": "2027-03-05T08:00:00.000Z",
            "reasonCode": "COD",
            "comments": "to another port",
            "auditReference": "A-1",
            "eblSignedEvent": JWS,
        }
    ],
}
MANIFEST: Final = {
    "transportDocumentChecksum": SUM,
    LAST: SUM,
    "eBLVisualisationByCarrier": DOCUMENT,
    "supportingDocuments": [DOCUMENT],
}
ISSUANCE: Final = {
    "documentChecksum": SUM,
    "eBLVisualisationByCarrierChecksum": SUM,
    "issueToChecksum": SUM,
}
FINISHED: Final = {
    LAST: SUM,
    "responseCode": "DUPE",
    DUPLICATE: JWS,
    "reason": "known",
    "missingAdditionalDocumentChecksums": [SUM],
    "receivedAdditionalDocumentChecksums": [SUM],
}
STARTED: Final = {
    "envelopeReference": "r-1",
    "transportDocumentChecksum": SUM,
    LAST: SUM,
    "missingAdditionalDocumentChecksums": [SUM],
}

Reader = Callable[[Any], Any]


def of_bytes(read: Callable[[bytes], Any]) -> Reader:
    return lambda value: read(json.dumps(value).encode())


MESSAGES: Final[dict[str, tuple[Reader, Json]]] = {
    "entry": (chain_entry, ENTRY),
    "manifest": (envelope_manifest, MANIFEST),
    "issuance": (issuance_manifest, ISSUANCE),
    "finished": (read_finished_response, FINISHED),
    "started": (of_bytes(read_started_response), STARTED),
    "code": (of_bytes(read_identifying_code), CODE),
    "validation": (of_bytes(read_receiver_validation), {"partyName": "Straits"}),
}


def changed(value: Any, pointer: str, new: object) -> Any:
    value = json.loads(json.dumps(value))
    *steps, last = [int(s) if s.isdigit() else s for s in pointer.split("/")[1:]]
    place = value
    for step in steps:
        place = place[step]
    if new is GONE:
        del place[last]
    else:
        place[last] = new
    return value


def members(value: Any, pointer: str = "") -> list[str]:
    """Pointers of all members that a JSON value has, at any depth."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    inner = [(f"{pointer}/{step}", child) for step, child in steps]
    deeper = [members(child, place) for place, child in inner if isinstance(child, dict | list)]
    return [place for place, _ in inner] + [place for places in deeper for place in places]


OPTIONAL: Final = {
    PREVIOUS,
    "issuanceManifestSignedContent",
    "controlTrackingRegistry",
    "recipient",
    "reasonCode",
    "comments",
    "auditReference",
    "eblSignedEvent",
    "taxLegalReferences",
    "representedParty",
    "codeListName",
    "eBLVisualisationByCarrier",
    "supportingDocuments",
    "eBLVisualisationByCarrierChecksum",
    DUPLICATE,
    "reason",
    "receivedAdditionalDocumentChecksums",
}
PLACES: Final = [(name, place) for name, (_, value) in MESSAGES.items() for place in members(value)]


def test_every_complete_message_is_read_and_written_back_as_it_was() -> None:
    assert chain_entry(ENTRY).to_json() == ENTRY
    assert envelope_manifest(MANIFEST).to_json() == MANIFEST
    assert read_finished_response(FINISHED).to_json() == FINISHED
    assert MESSAGES["started"][0](STARTED).to_json() == STARTED
    assert MESSAGES["code"][0](CODE).to_json() == CODE
    assert issuance_manifest(ISSUANCE).visualisation_checksum == SUM


@pytest.mark.parametrize(("name", "place"), PLACES)
@pytest.mark.parametrize("new", [None, 1.5, True, {"x": 1}, ["x", 1], ""], ids=repr)
def test_a_member_of_another_type_is_refused_where_it_stands(
    name: str, place: str, new: object
) -> None:
    read, value = MESSAGES[name]
    if new == "" and place.rpartition("/")[2] in MAY_BE_EMPTY:
        assert read(changed(value, place, new))
        return
    with pytest.raises(PintFormatError) as caught:
        read(changed(value, place, new))
    assert all(problem.pointer.startswith(place) for problem in caught.value.problems)


MAY_BE_EMPTY: Final = {
    "actionCode",
    "reasonCode",
    "auditReference",
    "codeListProvider",
    "partyCode",
    "codeListName",
    "mediaType",
    "reason",
    "envelopeReference",
}


@pytest.mark.parametrize(
    ("name", "place"), [(name, place) for name, place in PLACES if not place[-1].isdigit()]
)
def test_a_member_may_be_missing_exactly_if_the_standard_says_so(name: str, place: str) -> None:
    read, value = MESSAGES[name]
    last = place.rpartition("/")[2]
    optional = OPTIONAL | ({"missingAdditionalDocumentChecksums"} if name == "finished" else set())
    if "representedParty" in place:
        optional |= {"identifyingCodes"}
    if last in optional:
        assert read(changed(value, place, GONE))
        return
    with pytest.raises(PintFormatError) as caught:
        read(changed(value, place, GONE))
    assert [problem.rule for problem in caught.value.problems] == ["required"]


TRANSACTION = "/transactions/0"
ACTOR = f"{TRANSACTION}/actor"


@pytest.mark.parametrize(
    ("name", "place", "most"),
    [
        ("entry", "/eblPlatform", 4),
        ("entry", "/controlTrackingRegistry", 1024),
        ("entry", f"{TRANSACTION}/actionCode", 50),
        ("entry", f"{TRANSACTION}/reasonCode", 4),
        ("entry", f"{TRANSACTION}/comments", 255),
        ("entry", f"{TRANSACTION}/auditReference", 100),
        ("entry", f"{ACTOR}/partyName", 70),
        ("entry", f"{ACTOR}/eblPlatform", 4),
        ("entry", f"{TRANSACTION}/recipient/partyName", 70),
        ("entry", f"{ACTOR}/identifyingCodes/0/codeListProvider", 100),
        ("entry", f"{ACTOR}/identifyingCodes/0/partyCode", 150),
        ("entry", f"{ACTOR}/identifyingCodes/0/codeListName", 100),
        ("entry", f"{ACTOR}/taxLegalReferences/0/type", 50),
        ("entry", f"{ACTOR}/taxLegalReferences/0/value", 35),
        ("entry", f"{ACTOR}/representedParty/partyName", 70),
        ("manifest", "/supportingDocuments/0/mediaType", 100),
        ("finished", "/reason", 255),
        ("started", "/envelopeReference", 100),
        ("validation", "/partyName", 70),
    ],
)
def test_a_text_may_be_as_long_as_the_standard_says(name: str, place: str, most: int) -> None:
    read, value = MESSAGES[name]
    start = "u:" if place == "/controlTrackingRegistry" else ""
    assert read(changed(value, place, start + "x" * (most - len(start))))
    with pytest.raises(PintFormatError) as caught:
        read(changed(value, place, start + "x" * (most + 1 - len(start))))
    assert [(p.pointer, p.rule) for p in caught.value.problems] == [(place, "max-length")]


def test_the_name_of_a_document_may_be_of_any_length() -> None:
    long = changed(MANIFEST, "/supportingDocuments/0/name", "x" * 5000)
    assert len(envelope_manifest(long).supporting[0].name) == 5000


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("entry", f"{ACTOR}/partyName"),
        ("entry", f"{TRANSACTION}/comments"),
        ("entry", f"{ACTOR}/taxLegalReferences/0/type"),
        ("entry", f"{ACTOR}/taxLegalReferences/0/value"),
        ("entry", f"{ACTOR}/representedParty/partyName"),
        ("manifest", "/eBLVisualisationByCarrier/name"),
        ("validation", "/partyName"),
    ],
)
@pytest.mark.parametrize(
    "text", [pytest.param(" a", id="before"), pytest.param("a ", id="after"), "a\n", "a\nb"]
)
def test_a_trimmed_text_has_no_white_space_at_its_ends_and_one_line(
    name: str, place: str, text: str
) -> None:
    read, value = MESSAGES[name]
    assert read(changed(value, place, "a b"))
    with pytest.raises(PintFormatError):
        read(changed(value, place, text))


@pytest.mark.parametrize(
    "place", ["/eblPlatform", f"{ACTOR}/eblPlatform", f"{TRANSACTION}/recipient/eblPlatform"]
)
@pytest.mark.parametrize("text", ["A B", " AB", "AB\n"])
def test_a_platform_code_has_no_white_space(place: str, text: str) -> None:
    with pytest.raises(PintFormatError):
        chain_entry(changed(ENTRY, place, text))


@pytest.mark.parametrize(
    ("name", "place"),
    [(name, place) for name, place in PLACES if "hecksum" in place and place[-8:] != "hecksums"],
)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SUM[1:], id="63 characters"),
        pytest.param(SUM + "0", id="65 characters"),
        pytest.param(SUM.upper(), id="capitals"),
        pytest.param(SUM[:-1] + "g", id="no hexadecimal digit"),
        pytest.param(SUM + "\n", id="a line break at the end"),
    ],
)
def test_a_checksum_is_64_small_hexadecimal_digits(name: str, place: str, text: str) -> None:
    read, value = MESSAGES[name]
    with pytest.raises(PintFormatError) as caught:
        read(changed(value, place, text))
    assert caught.value.problems[0].pointer == place


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("entry", "/issuanceManifestSignedContent"),
        ("entry", f"{TRANSACTION}/eblSignedEvent"),
        ("finished", f"/{DUPLICATE}"),
    ],
)
@pytest.mark.parametrize("text", ["a.b", "a.b.", ".b.c", "a.b.c.d", "a.b.c=", "a.b.c\n", "a b.c.d"])
def test_a_signed_content_has_the_three_parts_of_a_compact_jws(
    name: str, place: str, text: str
) -> None:
    read, value = MESSAGES[name]
    with pytest.raises(PintFormatError):
        read(changed(value, place, text))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        pytest.param("2027-03-05T08:00:00.123Z", (8, 123_000), id="milliseconds"),
        pytest.param("2027-03-05T08:00:00Z", (8, 0), id="none"),
        pytest.param("2027-03-05T16:00:00+08:00", (8, 0), id="another zone"),
        pytest.param("2027-03-05t08:00:00z", (8, 0), id="small letters"),
    ],
)
def test_the_time_of_a_transaction_is_read_in_utc(text: str, moment: tuple[int, int]) -> None:
    read = chain_entry(changed(ENTRY, f"{TRANSACTION}/actionDateTime", text)).transactions[0].at
    assert read == datetime(2027, 3, 5, moment[0], 0, 0, moment[1], UTC)
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2027-03-05",
        "2027-03-05T08:00:00",
        "2027-02-30T08:00:00Z",
        "2027-03-05T25:00:00Z",
        "2027-03-05 08:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PintFormatError) as caught:
        chain_entry(changed(ENTRY, f"{TRANSACTION}/actionDateTime", text))
    assert caught.value.problems[0].pointer == f"{TRANSACTION}/actionDateTime"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("entry", "/transactions"),
        ("entry", f"{ACTOR}/identifyingCodes"),
        ("started", "/missingAdditionalDocumentChecksums"),
    ],
)
def test_a_list_that_needs_an_entry_is_not_empty(name: str, place: str) -> None:
    read, value = MESSAGES[name]
    with pytest.raises(PintFormatError) as caught:
        read(changed(value, place, []))
    assert [(p.pointer, p.rule) for p in caught.value.problems] == [(place, "min-items")]


@pytest.mark.parametrize("size", [0, -1, 0.5, 12.5])
def test_a_document_has_a_whole_number_of_bytes_from_one(size: float) -> None:
    with pytest.raises(PintFormatError) as caught:
        envelope_manifest(changed(MANIFEST, "/eBLVisualisationByCarrier/size", size))
    assert caught.value.problems[0].pointer == "/eBLVisualisationByCarrier/size"


def test_a_size_may_be_written_as_a_double() -> None:
    manifest = envelope_manifest(changed(MANIFEST, "/eBLVisualisationByCarrier/size", 12.0))
    assert repr(manifest.documents[0].size) == "12"


def test_a_file_declared_twice_is_one_document() -> None:
    other = {**DOCUMENT, "documentChecksum": SUM[::-1]}
    manifest = envelope_manifest({**MANIFEST, "supportingDocuments": [other, DOCUMENT]})
    assert [each.checksum for each in manifest.documents] == [SUM, SUM[::-1]]


@pytest.mark.parametrize("uri", ["registry.example", "/v1", "https:", "https://a b", "1:b"])
def test_a_registry_is_an_absolute_uri(uri: str) -> None:
    with pytest.raises(PintFormatError):
        chain_entry(changed(ENTRY, "/controlTrackingRegistry", uri))


@pytest.mark.parametrize("code", [*ResponseCode])
def test_the_seven_response_codes_are_known(code: ResponseCode) -> None:
    assert read_finished_response({LAST: SUM, "responseCode": str(code)}).code is code


@pytest.mark.parametrize("code", ["BETR", "rece", "RECE ", ""])
def test_another_response_code_is_none(code: str) -> None:
    with pytest.raises(PintFormatError):
        read_finished_response({LAST: SUM, "responseCode": code})


def test_action_and_code_lists_are_open() -> None:
    entry = changed(ENTRY, f"{TRANSACTION}/actionCode", "SOMETHING_NEW")
    entry = changed(entry, f"{ACTOR}/identifyingCodes/0/codeListProvider", "NEWLIST")
    assert chain_entry(entry).transactions[0].action == "SOMETHING_NEW"


@pytest.mark.parametrize("name", MESSAGES)
def test_unknown_members_are_ignored_and_replace_nothing(name: str) -> None:
    read, value = MESSAGES[name]
    strange = {"platform": "EVIL", "code": "x", "a.b": 1, "last_checksum": "x", "name": "x"}
    assert read({**strange, **value}) == read(value)
