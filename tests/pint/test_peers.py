"""peers.json: whose signatures count here; a mistake anywhere is told with its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from bol_service.crypto.certificates import self_signed
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.wire.peers import Peer, PeerOptions, PeersError, read_peers
from tests.documents import Json

ES256: Final = [LocalSigner(generate(Algorithm.ES256)) for _ in range(3)]
ED25519: Final = LocalSigner(generate(Algorithm.ED25519))


def certificate(signer: LocalSigner) -> str:
    begin, end = datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    return self_signed(signer, name="SGPX", not_before=begin, not_after=end)


def peers_value() -> Json:
    return {
        "platforms": {
            "SGPX": {
                "url": "https://sg.example/dcsa",
                "keys": [{"certificate": certificate(ES256[0])}],
                "tlsCertificate": certificate(ES256[1]),
                "options": {"repeatedIssue": True},
            },
            "CARX": {
                "url": "https://carx.example:8443",
                "keys": [
                    {"jwk": ES256[1].public.to_jwk()},
                    {"jwk": ED25519.public.to_jwk(), "algorithms": ["EdDSA"]},
                ],
            },
        },
        "carriers": {"NMFTA:XLSC": {"keys": [{"jwk": ES256[2].public.to_jwk()}]}},
    }


def read(value: object) -> Any:
    return read_peers(json.dumps(value).encode())


def test_a_file_names_platforms_and_carriers_with_their_keys() -> None:
    peers = read(peers_value())
    sgpx, carx = peers.platforms["SGPX"], peers.platforms["CARX"]
    assert (sgpx.code, sgpx.url) == ("SGPX", "https://sg.example/dcsa")
    assert [key.kid for key in sgpx.keys] == [ES256[0].public.kid]
    assert sgpx.keys[0].not_after == datetime(2028, 1, 1, tzinfo=UTC)
    assert sgpx.tls_certificate.startswith("-----BEGIN CERTIFICATE-----")
    assert sgpx.options == PeerOptions(repeated_issue=True)
    assert carx == Peer(
        code="CARX",
        url="https://carx.example:8443",
        keys=carx.keys,
        tls_certificate=None,
        options=PeerOptions(),
    )
    assert carx.keys[1].algorithms == {"EdDSA"}
    assert peers.pins.platforms == {"SGPX": sgpx.keys, "CARX": carx.keys}
    assert peers.pins.carriers["NMFTA:XLSC"][0].kid == ES256[2].public.kid


def test_strict_is_the_default_and_each_option_allows_one_thing() -> None:
    names = {
        "issuanceManifestAtRoot": "issuance_manifest_at_root",
        "repeatedIssue": "repeated_issue",
        "withoutContinuity": "without_continuity",
        "otherIssueTo": "other_issue_to",
        "ignoreRegistry": "ignore_registry",
    }
    for written, name in names.items():
        value = peers_value()
        value["platforms"]["SGPX"]["options"] = {written: True}
        assert read(value).platforms["SGPX"].options == PeerOptions(**{name: True})
    value["platforms"]["SGPX"]["options"] = dict.fromkeys(names, False)
    assert read(value).platforms["SGPX"].options == PeerOptions()


def test_nobody_may_be_pinned() -> None:
    peers = read({"platforms": {}, "carriers": {}})
    assert (peers.platforms, peers.carriers) == ({}, {})


def test_carriers_may_share_a_key() -> None:
    value = peers_value()
    value["carriers"]["SMDG:XLS"] = value["carriers"]["NMFTA:XLSC"]
    assert len(read(value).carriers) == 2


@pytest.mark.parametrize(
    "url",
    [
        "https://sg.example",
        "https://sg.example:8443/a/b-c",
        "https://[2001:db8::1]/pint",
        "http://localhost:8081",
        "http://127.0.0.1:8081/x",
        "http://[::1]:8081",
    ],
)
def test_a_peer_is_reached_by_https_or_on_this_machine(url: str) -> None:
    value = peers_value()
    value["platforms"]["SGPX"]["url"] = url
    assert read(value).platforms["SGPX"].url == url


SGPX: Final = "/platforms/SGPX"


def put(value: Json, pointer: str, new: object) -> Json:
    *steps, last = [int(s) if s.isdigit() else s for s in pointer.split("/")[1:]]
    place: Any = value
    for step in steps:
        place = place[step]
    if new is None:
        del place[last]
    else:
        place[last] = new
    return value


@pytest.mark.parametrize(
    ("place", "new", "told"),
    [
        pytest.param("/platforms", None, "/platforms", id="no platforms"),
        pytest.param("/carriers", None, "/carriers", id="no carriers"),
        pytest.param("/platforms", [], "/platforms", id="platforms as a list"),
        pytest.param("/other", 1, "/other", id="a member that is not known"),
        pytest.param(f"{SGPX}/url", None, f"{SGPX}/url", id="no url"),
        pytest.param(f"{SGPX}/other", 1, f"{SGPX}/other", id="a member of a platform"),
        pytest.param(f"{SGPX}/keys", None, f"{SGPX}/keys", id="no keys"),
        pytest.param(f"{SGPX}/keys", [], f"{SGPX}/keys", id="an empty list of keys"),
        pytest.param(f"{SGPX}/keys/0", {}, f"{SGPX}/keys/0", id="a pin without key"),
        pytest.param(
            f"{SGPX}/keys/0/jwk",
            ES256[0].public.to_jwk(),
            f"{SGPX}/keys/0",
            id="a pin with both kinds of key",
        ),
        pytest.param(f"{SGPX}/keys/0/certificate", "x", f"{SGPX}/keys/0", id="no certificate"),
        pytest.param(
            f"{SGPX}/keys/0/algorithms", ["RS256"], f"{SGPX}/keys/0", id="alg of another key"
        ),
        pytest.param(
            f"{SGPX}/keys/0/algorithms", ["none"], f"{SGPX}/keys/0/algorithms/0", id="alg none"
        ),
        pytest.param(
            f"{SGPX}/keys/0/algorithms", [], f"{SGPX}/keys/0/algorithms", id="no algorithm"
        ),
        pytest.param(f"{SGPX}/keys/0/kid", "x", f"{SGPX}/keys/0/kid", id="a member of a pin"),
        pytest.param(f"{SGPX}/tlsCertificate", "x", f"{SGPX}/tlsCertificate", id="TLS broken"),
        pytest.param(f"{SGPX}/options/other", True, f"{SGPX}/options/other", id="an option"),
        pytest.param(
            f"{SGPX}/options/repeatedIssue", 1, f"{SGPX}/options/repeatedIssue", id="1 as true"
        ),
        pytest.param(
            f"{SGPX}/options/repeatedIssue",
            "true",
            f"{SGPX}/options/repeatedIssue",
            id="true as text",
        ),
        pytest.param("/carriers/XLSC", {"keys": []}, "/carriers/XLSC/keys", id="no key"),
        pytest.param(
            "/carriers/NMFTA:XLSC/url", "x", "/carriers/NMFTA:XLSC/url", id="a carrier's url"
        ),
    ],
)
def test_a_mistake_is_told_with_its_pointer(place: str, new: object, told: str) -> None:
    with pytest.raises(PeersError) as caught:
        read(put(peers_value(), place, new))
    assert str(caught.value).partition(": ")[0] == told


@pytest.mark.parametrize(
    "url",
    [
        "http://sg.example",
        "http://127.0.0.2",
        "http://localhost.evil.example",
        "https://sg.example/",
        "https://sg.example?x=1",
        "https://sg.example#x",
        "https://user@sg.example",
        "https://sg.example\n",
        "https://",
        "https://-x",
        "ftp://sg.example",
        "sg.example",
        "https://sg.example/a b",
    ],
)
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(PeersError, match=r"/platforms/SGPX/url: .* is not the address"):
        read(put(peers_value(), f"{SGPX}/url", url))


@pytest.mark.parametrize("code", ["sgpx", "S", "SGPXX", "SG-X", "SG PX", ""])
def test_a_platform_has_a_code_of_two_to_four_capitals(code: str) -> None:
    value = peers_value()
    value["platforms"][code] = value["platforms"].pop("SGPX")
    with pytest.raises(PeersError, match=f"^/platforms/{code}: "):
        read(value)


@pytest.mark.parametrize(
    "name", ["XLSC", "ZZZ:XLSC", "NMFTA:xlsc", "NMFTA:", "NMFTA:XLSC:X", "NMFTA:XLSCX"]
)
def test_a_carrier_is_named_with_its_code_list(name: str) -> None:
    value = peers_value()
    value["carriers"][name] = value["carriers"]["NMFTA:XLSC"]
    with pytest.raises(PeersError, match=f"^/carriers/{name}: "):
        read(value)


def test_a_key_speaks_for_one_platform() -> None:
    value = peers_value()
    value["platforms"]["CARX"]["keys"].append({"jwk": ES256[0].public.to_jwk()})
    with pytest.raises(PeersError, match=r"^/platforms/CARX/keys/2: .* pinned for SGPX already"):
        read(value)


def test_a_key_may_be_pinned_twice_for_its_platform() -> None:
    value = peers_value()
    value["platforms"]["SGPX"]["keys"].append({"jwk": ES256[0].public.to_jwk()})
    assert len(read(value).platforms["SGPX"].keys) == 2


def test_an_ed25519_key_needs_to_be_allowed() -> None:
    value = peers_value()
    del value["platforms"]["CARX"]["keys"][1]["algorithms"]
    with pytest.raises(PeersError, match=r"^/platforms/CARX/keys/1: .*only if its pin says so"):
        read(value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(b"", "peers.json: ", id="nothing"),
        pytest.param(b"[]", "peers.json: ", id="a list"),
        pytest.param(b'{"platforms":{"A":1,"A":2}}', "/platforms/A: ", id="a platform twice"),
    ],
)
def test_what_is_no_strict_json_object_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(PeersError) as caught:
        read_peers(content)
    assert str(caught.value).startswith(told)
