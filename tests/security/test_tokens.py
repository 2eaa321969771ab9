"""Access tokens: got with a key, once, for oneself, dead with the key. They read and never act."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from bol_service.client import ASSERTION, Client
from bol_service.crypto import base64url, jws, strictjson
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.wire import drafting
from tests import kit
from tests.bill_scene import Answer, Scene, newcomer, scene

Json = dict[str, Any]
FORM = "application/x-www-form-urlencoded"
ASSERTION_TYP = "client-authentication+jwt"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("tokens")) as ready:
        yield ready


def signer_of(client: Client) -> LocalSigner:
    assert isinstance(client.signer, LocalSigner)
    return client.signer


def claims(stage: Scene, party: str, **changes: Any) -> Json:
    issued = int(stage.voyage.now().timestamp())
    sound = {
        "aud": f"{stage.platform.base_url}/oauth/token",
        "exp": issued + 60,
        "iat": issued,
        "iss": party,
        "jti": secrets.token_urlsafe(16),
        "sub": party,
    }
    return {name: value for name, value in (sound | changes).items() if value is not None}


def signed(stage: Scene, party: str, typ: str = ASSERTION_TYP, **changes: Any) -> str:
    payload = strictjson.canonical(claims(stage, party, **changes))
    return jws.sign(payload, typ, signer_of(stage.clients[party]))


def exchange(stage: Scene, assertion: str, **form: str) -> Answer:
    fields = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": assertion,
        **form,
    }
    body = urlencode(fields).encode()
    return stage.request("POST", "/oauth/token", body=body, media_type=FORM)


def read_with(stage: Scene, token: str, path: str = "/v1/bills") -> Answer:
    return stage.request("GET", path, headers={"Authorization": f"Bearer {token}"})


def test_a_sound_assertion_gets_a_token_for_five_minutes(stage: Scene) -> None:
    answer = exchange(stage, signed(stage, "bankcq"))
    token = answer.json()
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 300)
    assert read_with(stage, token["access_token"]).status == 200


FAULTS: list[tuple[str, Callable[[Scene], str]]] = [
    ("another audience", lambda s: signed(s, "bankcq", aud="https://other.example/oauth/token")),
    ("the API itself as audience", lambda s: signed(s, "bankcq", aud=s.platform.base_url)),
    ("a list of audiences", lambda s: signed(s, "bankcq", aud=[claims(s, "bankcq")["aud"]])),
    ("expired", lambda s: signed(s, "bankcq", **at(s, -180))),
    ("not yet valid", lambda s: signed(s, "bankcq", **at(s, 120))),
    ("valid for an hour", lambda s: signed(s, "bankcq", exp=claims(s, "bankcq")["iat"] + 3600)),
    ("ending before it begins", lambda s: signed(s, "bankcq", exp=0)),
    ("no jti", lambda s: signed(s, "bankcq", jti=None)),
    ("a short jti", lambda s: signed(s, "bankcq", jti="1")),
    ("no expiry", lambda s: signed(s, "bankcq", exp=None)),
    ("a claim too many", lambda s: signed(s, "bankcq", scope="all")),
    ("times as text", lambda s: signed(s, "bankcq", exp=str(claims(s, "bankcq")["exp"]))),
    ("true as time", lambda s: signed(s, "bankcq", iat=True)),
    ("in another party's name", lambda s: signed(s, "bankcq", iss="banksg", sub="banksg")),
    ("issuer and subject apart", lambda s: signed(s, "bankcq", sub="banksg")),
    ("a party that is not registered", lambda s: signed(s, "bankcq", iss="nobody", sub="nobody")),
    ("a subject that is no text", lambda s: signed(s, "bankcq", iss=1, sub=1)),
    ("typ of an event", lambda s: signed(s, "bankcq", typ="ebl-event+jws")),
    ("typ of a title statement", lambda s: signed(s, "bankcq", typ="ebl-title+jws")),
    ("an event as assertion", lambda s: event(s, "bankcq")),
    ("a foreign key", lambda s: by_stranger(s)),
    ("alg none", lambda s: spoilt(s, {"alg": "none", "typ": ASSERTION_TYP})),
    ("a key in the header", lambda s: spoilt(s, {"alg": "Ed25519", "jwk": {}, "kid": "x"})),
    ("three dots", lambda s: signed(s, "bankcq") + ".x"),
    ("nothing", lambda s: ""),
    ("longer than any assertion", lambda s: "a" * 10_000),
]


def at(stage: Scene, seconds: int) -> Json:
    issued = int((stage.voyage.now() + timedelta(seconds=seconds)).timestamp())
    return {"iat": issued, "exp": issued + 60}


def event(stage: Scene, party: str) -> str:
    payload = stage.clients[party].draft_event("SIGN", f"bill:{stage.bill_a}")
    return drafting.sign(payload, signer_of(stage.clients[party]))


def by_stranger(stage: Scene) -> str:
    stranger = LocalSigner(generate(Algorithm.ED25519))
    return jws.sign(strictjson.canonical(claims(stage, "bankcq")), ASSERTION_TYP, stranger)


def spoilt(stage: Scene, header: Json) -> str:
    _, payload, signature = signed(stage, "bankcq").split(".")
    return f"{base64url.encode(strictjson.canonical(header))}.{payload}.{signature}"


@pytest.mark.parametrize("make", [make for _, make in FAULTS], ids=[name for name, _ in FAULTS])
def test_a_faulty_assertion_gets_nothing(stage: Scene, make: Callable[[Scene], str]) -> None:
    answer = exchange(stage, make(stage))
    assert (answer.status, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_assertion_is_used_once(stage: Scene) -> None:
    assertion = signed(stage, "bankcq")
    assert exchange(stage, assertion).status == 200
    again = exchange(stage, assertion)
    assert again.status == 401
    assert "used before" in again.json()["detail"]


def test_the_same_jti_in_a_new_assertion_is_refused(stage: Scene) -> None:
    jti = secrets.token_urlsafe(16)
    assert exchange(stage, signed(stage, "bankcq", jti=jti)).status == 200
    assert exchange(stage, signed(stage, "bankcq", jti=jti)).status == 401
    # To another party the name means nothing: nobody can use up the jti of others.
    assert exchange(stage, signed(stage, "banksg", jti=jti)).status == 200


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "password"},
        {"grant_type": "authorization_code"},
        {"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"},
    ],
    ids=["password", "code", "SAML"],
)
def test_no_other_grant_is_known(stage: Scene, form: Json) -> None:
    assert exchange(stage, signed(stage, "bankcq"), **form).status == 401


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Basic YmFua2NxOng=",
        "Bearer 0000000000000000000000000000000000000000000",
        "Token x",
        "",
    ],
)
def test_what_is_no_token_reads_nothing(stage: Scene, header: str) -> None:
    answer = stage.request("GET", "/v1/bills", headers={"Authorization": header})
    assert (answer.status, answer.json()["code"]) == (401, "not_authenticated")


def test_an_assertion_is_no_token_and_an_event_is_none(stage: Scene) -> None:
    for text in (signed(stage, "bankcq"), event(stage, "bankcq")):
        assert read_with(stage, text).status == 401


def test_an_assertion_is_no_event(stage: Scene) -> None:
    before = stage.log_size
    answer = stage.post_event(signed(stage, "bankcq"))
    assert (answer.status, answer.json()["code"]) == (422, "bad_event")
    assert stage.log_size == before


def test_a_token_in_the_address_is_not_looked_at(stage: Scene) -> None:
    token = exchange(stage, signed(stage, "bankcq")).json()["access_token"]
    answer = stage.request("GET", f"/v1/bills?access_token={token}")
    assert answer.status in (401, 422)


def test_a_token_reads_what_is_its_party_s_and_nothing_else(stage: Scene) -> None:
    tokens = {
        party: exchange(stage, signed(stage, party)).json()["access_token"]
        for party in ("bankcq", "shadow")
    }
    path = f"/v1/bills/{stage.bill_a}"
    assert read_with(stage, tokens["bankcq"], path).status == 200
    assert read_with(stage, tokens["shadow"], path).status == 404


def test_a_token_dies_after_five_minutes(stage: Scene) -> None:
    token = exchange(stage, signed(stage, "bankcq")).json()["access_token"]
    moment = stage.voyage.now()
    try:
        stage.platform.set_clock(moment + timedelta(seconds=299))
        assert read_with(stage, token).status == 200
        stage.platform.set_clock(moment + timedelta(seconds=300))
        assert read_with(stage, token).status == 401
    finally:
        stage.platform.set_clock(moment)


def test_a_token_dies_at_once_with_its_key(stage: Scene) -> None:
    client = newcomer(stage.platform, stage.voyage, "leaver", "CN", {"roles": ["SHIPPER"]})
    token = client.token()
    assert read_with(stage, token).status == 200
    first = signer_of(client)
    second = LocalSigner(generate(Algorithm.ES256))
    proof = drafting.prove_key(second, origin=kit.ORIGIN, party="leaver")
    client.act("ADD_KEY", "party:leaver", proof)
    assert read_with(stage, token).status == 200
    revocation = {"kid": first.public.kid, "reason": "laptop lost"}
    client.signer = second
    client.act("REVOKE_KEY", "party:leaver", revocation)
    answer = read_with(stage, token)
    assert (answer.status, answer.json()["code"]) == (401, "not_authenticated")
    client._token = None
    assert read_with(stage, client.token()).status == 200  # the other key still speaks


def test_a_revoked_key_gets_no_token(stage: Scene) -> None:
    client = newcomer(stage.platform, stage.voyage, "rotator", "CN", {"roles": ["SHIPPER"]})
    old = signer_of(client)
    new = LocalSigner(generate(Algorithm.ED25519))
    client.act(
        "ROTATE_KEY", "party:rotator", drafting.prove_key(new, origin=kit.ORIGIN, party="rotator")
    )
    payload = strictjson.canonical(claims(stage, "rotator"))
    assert exchange(stage, jws.sign(payload, ASSERTION_TYP, old)).status == 401
    fresh = strictjson.canonical(claims(stage, "rotator"))
    assert exchange(stage, jws.sign(fresh, ASSERTION_TYP, new)).status == 200


def test_the_database_keeps_no_token(stage: Scene) -> None:
    token = exchange(stage, signed(stage, "bankcq")).json()["access_token"]
    engine = stage.platform.running.store.engine
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM access_tokens").all()
    assert rows
    assert not [row for row in rows if token in map(str, row)]
