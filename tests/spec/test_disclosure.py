"""The disclosure file: one profile of SD-JWT, in which every byte is as it must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bol_service.crypto import base64url, jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.wire import disclosure as wire
from bol_service.wire.disclosure import (
    BadDisclosure,
    Disclosed,
    Presentation,
    UnknownVersion,
    parse,
    parse_full,
)
from bol_service.wire.disclosure_selection import NAMES, UnknownWord, select
from bol_service.wire.json_pointer import NoSuchPlace, assembled, value_at
from tests.complete_document import complete_document
from tests.disclosed_bill import (
    Json,
    disclosure,
    joined,
    of_document,
    payload_of,
    signed_anew,
    texts,
)
from tests.documents import corridor_document

SIGNER = LocalSigner(generate(Algorithm.ED25519))
CHARGE = {
    "chargeName": "Ocean freight",
    "currencyAmount": 7431.95,
    "currencyCode": "USD",
    "paymentTermCode": "PRE",
    "calculationBasis": "Per container",
    "unitPrice": 3715.98,
    "quantity": 2,
}


@pytest.fixture(scope="module")
def full() -> Presentation:
    document = corridor_document(
        charges=[CHARGE], declaredValue=88123.45, declaredValueCurrency="USD"
    )
    return of_document(document, SIGNER)


def with_payload(full: Presentation, **changes: Any) -> str:
    """The same file, its payload changed and signed again by the same key."""
    payload = {name: member for name, member in (payload_of(full) | changes).items() if member}
    return joined(signed_anew(payload, SIGNER), *texts(full))


def with_disclosures(*made: str) -> str:
    """A file whose carrier committed to exactly these texts, in order."""
    pieces = [Disclosed(pointer="", value=None, text=text) for text in made]
    pieces.sort(key=lambda piece: piece.digest)
    document = of_document(corridor_document(), SIGNER)
    payload = payload_of(document) | {"_sd": sorted({piece.digest for piece in pieces})}
    return joined(signed_anew(payload, SIGNER), *(piece.text for piece in pieces))


# -- making and reading --------------------------------------------------------------------------


def test_a_disclosure_is_hashed_as_the_standard_does() -> None:
    """RFC 9901, section 4.2.3: the first example."""
    text = "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"
    piece = Disclosed(pointer="family_name", value="Möbius", text=text)
    assert piece.digest == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"


@pytest.mark.parametrize(
    "document", [corridor_document(), complete_document()], ids=["usual", "all"]
)
def test_the_full_file_holds_the_whole_document(document: Json) -> None:
    full = of_document(document, SIGNER)
    read = parse_full(full.to_text())
    assert strictjson.canonical(read.document()) == strictjson.canonical(document)
    assert read.hidden == 0
    assert read == full


def test_the_issuer_signed_part_tells_the_bill_and_where_to_ask_and_nothing_else(
    full: Presentation,
) -> None:
    payload = payload_of(full)
    digests = payload.pop("_sd")
    assert set(payload) == {
        "_sd_alg",
        "bill",
        "carrier",
        "carrierCode",
        "carrierCodeListProvider",
        "issuedAt",
        "origin",
        "statusAt",
        "transportDocumentReference",
        "v",
    }
    assert payload["statusAt"] == f"https://demo.a/v1/bills/{payload['bill']}"
    assert len(digests) == len(full.disclosed)


def test_every_piece_has_a_salt_of_its_own_and_new_ones_each_time() -> None:
    files = [of_document(corridor_document(), SIGNER) for _ in range(2)]
    salts = [
        strictjson.loads_document(base64url.decode(text))[0]  # type: ignore[index]
        for file in files
        for text in texts(file)
    ]
    assert len(set(salts)) == len(salts)
    assert all(len(base64url.decode(salt)) == 16 for salt in salts)
    assert files[0].digest != files[1].digest


def test_the_order_of_digests_tells_nothing_of_the_order_of_the_document(
    full: Presentation,
) -> None:
    digests = payload_of(full)["_sd"]
    assert digests == sorted(digests)
    assert [piece.digest for piece in full.disclosed] == digests


def test_fewer_disclosures_leave_the_signed_part_as_it_is(full: Presentation) -> None:
    part = full.only(lambda piece: piece.pointer.endswith("/seals"))
    assert part.digest == full.digest
    assert parse(part.to_text()) == part
    assert part.hidden == len(full.committed) - 2


def test_nothing_at_all_may_be_disclosed(full: Presentation) -> None:
    none = parse(full.only(lambda _: False).to_text())
    assert (none.disclosed, none.hidden) == ((), len(full.committed))


@pytest.mark.parametrize("alg", list(Algorithm))
def test_it_is_signed_with_either_algorithm(alg: Algorithm) -> None:
    signer = LocalSigner(generate(alg))
    read = parse_full(of_document(corridor_document(), signer).to_text())
    jws.verify(read.signed, signer.public)
    assert read.signed.alg is alg


# -- what is no such file ------------------------------------------------------------------------


def swapped(text: str) -> str:
    signed, first, second, *rest = text.split("~")
    return "~".join([signed, second, first, *rest])


def resigned(header: Json) -> Callable[[str], str]:
    def change(text: str) -> str:
        signed, _, rest = text.partition("~")
        _, payload, signature = signed.split(".")
        made = base64url.encode(strictjson.canonical(header))
        return f"{made}.{payload}.{signature}~{rest}"

    return change


KID = SIGNER.public.kid
TEXTS: list[Any] = [
    pytest.param(lambda text: text.partition("~")[0], "JWT alone", id="a JWT alone"),
    pytest.param(lambda text: text[:-1], "follows the last", id="the last tilde missing"),
    pytest.param(lambda text: f"{text}e30.e30.c2ln", "key binding", id="a key binding JWT"),
    pytest.param(lambda text: f"{text}~", "not JSON", id="an empty disclosure"),
    pytest.param(lambda text: f" {text}", "alphabet", id="a blank before it"),
    pytest.param(lambda text: f"{text}\n", "follows the last", id="a line feed after it"),
    pytest.param(lambda text: text.replace("~", "=~", 1), "alphabet", id="padding"),
    pytest.param(lambda text: text.replace("~", "é~", 1), "alphabet", id="a letter beyond ASCII"),
    pytest.param(swapped, "order of _sd", id="disclosures in another order"),
    pytest.param(
        lambda text: text + text.split("~")[-2] + "~", "comes twice", id="a disclosure twice"
    ),
    pytest.param(
        lambda text: text + disclosure("/charges/9", 1) + "~",
        "no disclosure that the carrier",
        id="a disclosure that was not committed to",
    ),
    pytest.param(
        resigned({"alg": "none", "kid": KID, "typ": wire.TYP}), "alg 'none'", id="no algorithm"
    ),
    pytest.param(
        resigned({"alg": "HS256", "kid": KID, "typ": wire.TYP}), "alg 'HS256'", id="a shared secret"
    ),
    pytest.param(
        resigned({"alg": "EdDSA", "kid": KID, "typ": wire.TYP}), "alg 'EdDSA'", id="a loose name"
    ),
    pytest.param(resigned({"alg": "Ed25519", "kid": KID}), "exactly", id="a header without typ"),
    pytest.param(
        resigned({"alg": "Ed25519", "kid": KID, "typ": wire.TYP, "jwk": SIGNER.public.to_jwk()}),
        "exactly",
        id="a header that brings its own key",
    ),
    pytest.param(
        resigned({"alg": "Ed25519", "crit": ["exp"], "kid": KID, "typ": wire.TYP}),
        "exactly",
        id="a header with crit",
    ),
]


@pytest.mark.parametrize(("change", "reason"), TEXTS)
def test_a_file_is_refused_with(
    full: Presentation, change: Callable[[str], str], reason: str
) -> None:
    with pytest.raises(BadDisclosure, match=reason):
        parse(change(full.to_text()))


TYPS = [
    "ebl-event+jws",
    "ebl-title+jws",
    "ebl-key-proof+jws",
    "client-authentication+jwt",
    "sd+jwt",
]


@pytest.mark.parametrize("typ", TYPS)
def test_a_signature_made_for_another_door_is_refused(full: Presentation, typ: str) -> None:
    text = joined(signed_anew(payload_of(full), SIGNER, typ), *texts(full))
    with pytest.raises(BadDisclosure, match=f"typ '{typ.replace('+', '.')}'"):
        parse(text)


def test_a_signature_made_for_this_door_opens_no_other(full: Presentation) -> None:
    for typ in (*TYPS, None):
        with pytest.raises(jws.BadJws):
            jws.parse(full.signed.text, typ)


PAYLOADS: list[Any] = [
    pytest.param({"_sd_alg": "sha-512"}, "_sd_alg", id="another hash"),
    pytest.param({"_sd_alg": None}, "_sd_alg", id="no hash"),
    pytest.param({"_sd": None}, "_sd", id="no digests"),
    pytest.param({"statusAt": None}, "statusAt", id="no address to ask"),
    pytest.param({"statusAt": "https://demo.a/"}, "statusAt", id="an address of no bill"),
    pytest.param({"statusAt": "javascript:0/v1/bills/x"}, "statusAt", id="an address of no web"),
    pytest.param({"bill": None}, "bill", id="no bill"),
    pytest.param({"origin": None}, "origin", id="no platform"),
    pytest.param({"carrier": None}, "carrier", id="no carrier"),
    pytest.param({"issuedAt": "2027-03-01"}, "issuedAt", id="a day for a time"),
    pytest.param({"price": 7431}, "price", id="an open claim beside those of the format"),
    pytest.param({"...": "x" * 43}, "...", id="an array digest"),
    pytest.param({"cnf": {"jwk": {}}}, "cnf", id="a key for holders"),
    pytest.param({"_sd": ["a"]}, "not a SHA-256", id="a digest too short"),
    pytest.param({"_sd": ["b" * 43, "a" * 43]}, "ascending", id="digests out of order"),
    pytest.param({"_sd": ["a" * 43, "a" * 43]}, "ascending", id="a digest twice"),
]


@pytest.mark.parametrize(("changes", "reason"), PAYLOADS)
def test_a_signed_part_is_refused_with(full: Presentation, changes: Json, reason: str) -> None:
    with pytest.raises(BadDisclosure, match=reason):
        parse(with_payload(full, **changes))


def test_a_later_version_is_neither_valid_nor_invalid(full: Presentation) -> None:
    with pytest.raises(UnknownVersion):
        parse(with_payload(full, v=2))


def test_a_payload_that_is_not_canonical_is_refused(full: Presentation) -> None:
    signed = signed_anew(full.signed.payload + b" ", SIGNER)
    with pytest.raises(BadDisclosure, match="8785"):
        parse(joined(signed, *texts(full)))


def spaced() -> str:
    return base64url.encode(b'["AAECAwQFBgcICQoLDA0ODw", "/a", 1]')


DISCLOSURES: list[Any] = [
    pytest.param([disclosure("_sd", ["a" * 43])], "named '_sd'", id="the name _sd"),
    pytest.param([disclosure("...", "a" * 43)], "named '...'", id="the name of an array digest"),
    pytest.param([disclosure("", {})], "named ''", id="the whole document"),
    pytest.param([disclosure("bill", "0" * 64)], "named 'bill'", id="the name of an open claim"),
    pytest.param([disclosure("/a~2", 1)], "no JSON pointer", id="a pointer badly escaped"),
    pytest.param([disclosure(7, 1)], "no JSON pointer", id="a number for a name"),
    pytest.param([disclosure("/a", {"_sd": []})], "reserves", id="digests hidden in a value"),
    pytest.param([disclosure("/a", [{"...": "x"}])], "reserves", id="an array digest in a value"),
    pytest.param([disclosure("/a", {"b": {"_sd_alg": 1}})], "reserves", id="a hash in a value"),
    pytest.param([disclosure("/a", 1, "c2hvcnQ")], "no salt", id="a salt too short"),
    pytest.param([disclosure("/a", 1, "!" * 22)], "no salt", id="a salt of other characters"),
    pytest.param([spaced()], "8785", id="blanks in it"),
    pytest.param([base64url.encode(b'["AAECAwQFBgcICQoLDA0ODw",1]')], "array of", id="two parts"),
    pytest.param([base64url.encode(b'{"a":1}')], "array of", id="an object"),
    pytest.param([base64url.encode(b"[1")], "refused", id="half an array"),
    pytest.param(
        [base64url.encode(b'["AAECAwQFBgcICQoLDA0ODw","/a",{"b":1,"b":2}]')],
        "refused",
        id="a member twice",
    ),
    pytest.param([disclosure("/a", 1), disclosure("/b", 1)], "share a salt", id="one salt for two"),
    pytest.param(
        [disclosure("/a", {"b": 1}), disclosure("/a/b", 2, "BBECAwQFBgcICQoLDA0ODw")],
        "disclosed twice",
        id="a value inside another",
    ),
    pytest.param(
        [disclosure("/a", 1), disclosure("/a", 2, "BBECAwQFBgcICQoLDA0ODw")],
        "disclosed twice",
        id="two values for one name",
    ),
]


@pytest.mark.parametrize(("made", "reason"), DISCLOSURES)
def test_even_the_carrier_cannot_commit_to(made: list[str], reason: str) -> None:
    with pytest.raises(BadDisclosure, match=reason):
        parse(with_disclosures(*made))


def test_a_salt_changed_is_another_disclosure(full: Presentation) -> None:
    piece = full.disclosed[0]
    changed = disclosure(piece.pointer, piece.value)
    text = joined(full.signed.text, changed, *texts(full)[1:])
    with pytest.raises(BadDisclosure, match=f"{piece.pointer} is no disclosure"):
        parse(text)


def test_a_document_that_uses_the_names_of_the_standard_cannot_be_committed_to() -> None:
    for name in ("_sd", "_sd_alg", "..."):
        with pytest.raises(BadDisclosure, match="reserves"):
            of_document(corridor_document(**{"x-note": [{name: 1}]}), SIGNER)


def test_a_file_beyond_all_measure_is_not_read() -> None:
    with pytest.raises(BadDisclosure, match="at most"):
        parse("e" * (wire.MAX_BYTES + 1))


# -- the full file -------------------------------------------------------------------------------


def test_a_file_with_a_disclosure_missing_is_not_full(full: Presentation) -> None:
    with pytest.raises(BadDisclosure, match="1 of"):
        parse_full(joined(full.signed.text, *texts(full)[1:]))


def test_a_full_file_of_another_document_is_refused(full: Presentation) -> None:
    with pytest.raises(BadDisclosure, match="make the document"):
        parse_full(with_payload(full, bill="0" * 64, statusAt=f"https://a/v1/bills/{'0' * 64}"))


@pytest.mark.parametrize("name", ["transportDocumentReference", "carrierCode"])
def test_a_full_file_whose_open_claims_differ_from_its_document_is_refused(
    full: Presentation, name: str
) -> None:
    with pytest.raises(BadDisclosure, match=f"{name} is claimed"):
        parse_full(with_payload(full, **{name: "OTHER"}))


def test_a_document_cut_in_other_places_is_refused() -> None:
    """A carrier must not hide a price in a piece that is of another class."""
    document = corridor_document()
    whole = of_document(document, SIGNER)
    made = [
        disclosure(f"/{name}", value, salt(n)) for n, (name, value) in enumerate(document.items())
    ]
    made.sort(key=lambda text: Disclosed(pointer="", value=None, text=text).digest)
    digests = [Disclosed(pointer="", value=None, text=text).digest for text in made]
    text = joined(signed_anew(payload_of(whole) | {"_sd": digests}, SIGNER), *made)
    assert parse(text).hidden == 0
    with pytest.raises(BadDisclosure, match="not cut"):
        parse_full(text)


def salt(number: int) -> str:
    return base64url.encode(number.to_bytes(16, "big"))


@pytest.mark.parametrize("depth", [10, 64, 65, 100_000])
def test_pieces_nested_beyond_all_measure_make_no_document(depth: int) -> None:
    """Refused as such, and not by the reader running out of stack."""
    name, value = "/a" * depth, strictjson.loads_document(b"[" * 60 + b"]" * 60)
    text = with_disclosures(disclosure(name, value))
    with pytest.raises(BadDisclosure, match=r"make no document|make the document|no JSON pointer"):
        parse_full(text)


# -- selecting -----------------------------------------------------------------------------------


def shown(full: Presentation, *words: str) -> set[str]:
    return {piece.pointer for piece in select(full, list(words)).disclosed}


def test_customs_gets_goods_hs_codes_weights_and_containers_without_any_price(
    full: Presentation,
) -> None:
    pointers = shown(full, "customs")
    for wanted in ("descriptionOfGoods", "HSCodes", "cargoItems/0/cargoGrossWeight"):
        assert f"/consignmentItems/0/{wanted}" in pointers
    assert "/utilizedTransportEquipments/1/seals" in pointers
    text = select(full, ["customs"]).to_text()
    decoded = b"".join(base64url.decode(part) for part in text.split("~")[1:-1])
    for secret in (b"7431.95", b"3715.98", b"88123.45", b"Ocean freight", b"Yunling", b"USD"):
        assert secret not in decoded


def test_a_terminal_gets_containers_and_seals_only(full: Presentation) -> None:
    for pointer in shown(full, "terminal"):
        last = pointer.rpartition("/")[2]
        assert last in {
            "equipmentReference",
            "ISOEquipmentCode",
            "isShipperOwned",
            "seals",
        }


def test_words_and_pointers_add_up(full: Presentation) -> None:
    assert shown(full, "hs", "seals") == shown(full, "hs") | shown(full, "seals")
    assert shown(full, "/consignmentItems/0/HSCodes", "seals") == shown(full, "hs", "seals")
    assert shown(full, "price") == {
        "/charges/0",
        "/declaredValue",
        "/declaredValueCurrency",
        "/freightPaymentTermCode",
        "/invoicePayableAt",
    }


def test_a_name_takes_no_persons_but_a_pointer_does() -> None:
    full = of_document(complete_document(), SIGNER)
    assert not any("ontact" in pointer for pointer in shown(full, "shipper", "goods", "customs"))
    contacts = "/documentParties/shipper/partyContactDetails"
    assert contacts in shown(full, contacts)
    assert contacts in shown(full, "/documentParties/shipper")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_name_names_something(name: str) -> None:
    assert shown(of_document(complete_document(), SIGNER), name)


@pytest.mark.parametrize("word", ["custom", "", "charges", "/charge", "/", "/charges/7", "GOODS"])
def test_a_word_that_names_nothing_is_told_with_those_that_do(
    full: Presentation, word: str
) -> None:
    with pytest.raises(UnknownWord, match="customs, terminal, goods"):
        select(full, ["customs", word])


@pytest.mark.parametrize(
    "pointer", ["/charges/00", "/charges/-", "/charges/1", "/a", "/charges/0/a/b"]
)
def test_nothing_stands_at_a_pointer_that_leads_nowhere(pointer: str) -> None:
    with pytest.raises(LookupError):
        value_at({"charges": [{"a": 1}]}, pointer)


def test_a_pointer_leads_through_escaped_names() -> None:
    assert value_at({"a/b": {"~": [1, 2]}}, "/a~1b/~0/1") == 2


def test_places_are_put_together_into_lists_and_objects() -> None:
    places = [("/b/1/c", 2), ("/a~1b", [1]), ("/b/0", 1), ("/b/1/d", {})]
    assert assembled(places) == {"a/b": [1], "b": [1, {"c": 2, "d": {}}]}
    assert assembled([]) == {}


def test_a_place_inside_a_value_is_no_place() -> None:
    with pytest.raises(NoSuchPlace):
        assembled([("/a", {}), ("/a/b", 1)])
