"""A JWS has one form: the header's three members, one spelling of the text (RFC 8725).

Every message here is correctly signed all the same. Whatever is refused leaves the log as it was,
and no header makes the service open a connection of its own.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bol_service.crypto import strictjson
from bol_service.wire.events import EVENT_TYP
from tests.bill_scene import Scene, scene
from tests.scene_events import compact, key, refused, sign_act, with_header

Json = dict[str, Any]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("forms")) as ready:
        yield ready


@pytest.fixture
def unchanged(stage: Scene) -> Iterator[None]:
    """Nothing is recorded while the test runs."""
    before = stage.log_size
    yield
    assert stage.log_size == before


def header(stage: Scene, **changes: Any) -> bytes:
    sound = {"alg": "Ed25519", "kid": key(stage, "bankcq").public.kid, "typ": EVENT_TYP}
    return strictjson.canonical(sound | changes)


def jwk_of_attacker(stage: Scene) -> Json:
    return dict(key(stage, "shadow").public.to_jwk())


URL = "http://127.0.0.1:9/keys.json"
HEADERS: list[tuple[str, Callable[[Scene], bytes]]] = [
    ("jku", lambda s: header(s, jku=URL)),
    ("x5u", lambda s: header(s, x5u=URL)),
    ("jwk", lambda s: header(s, jwk=jwk_of_attacker(s))),
    ("x5c", lambda s: header(s, x5c=["MIIB"])),
    ("x5t", lambda s: header(s, x5t="AAAA")),
    ("crit", lambda s: header(s, crit=["exp"], exp=1)),
    ("crit and b64", lambda s: header(s, b64=False, crit=["b64"])),
    ("zip", lambda s: header(s, zip="DEF")),
    ("cty", lambda s: header(s, cty="JWT")),
    ("an unknown member", lambda s: header(s, x=1)),
    ("alg none", lambda s: header(s, alg="none")),
    ("alg nOnE", lambda s: header(s, alg="nOnE")),
    ("alg HS256", lambda s: header(s, alg="HS256")),
    ("alg EdDSA", lambda s: header(s, alg="EdDSA")),
    ("alg ed25519 in lower case", lambda s: header(s, alg="ed25519")),
    ("alg RS256", lambda s: header(s, alg="RS256")),
    ("alg as list", lambda s: header(s, alg=["Ed25519"])),
    ("alg null", lambda s: header(s, alg=None)),
    ("typ of a statement", lambda s: header(s, typ="ebl-title+jws")),
    ("typ of an assertion", lambda s: header(s, typ="client-authentication+jwt")),
    ("typ of a key proof", lambda s: header(s, typ="ebl-key-proof+jws")),
    ("typ with a prefix", lambda s: header(s, typ="application/ebl-event+jws")),
    ("typ in capitals", lambda s: header(s, typ=EVENT_TYP.upper())),
    ("kid as path", lambda s: header(s, kid="../../etc/passwd")),
    ("kid as URL", lambda s: header(s, kid=URL)),
    ("kid as SQL", lambda s: header(s, kid="' OR 1=1 --")),
    ("kid as number", lambda s: header(s, kid=1)),
    ("kid empty", lambda s: header(s, kid="")),
    ("kid too long", lambda s: header(s, kid="A" * 5000)),
    ("kid missing", lambda s: b'{"alg":"Ed25519","typ":"ebl-event+jws"}'),
    ("alg twice", lambda s: header(s)[:-1] + b',"alg":"none"}'),
    ("alg twice, once escaped", lambda s: header(s)[:-1] + b',"\\u0061lg":"none"}'),
    ("kid twice", lambda s: header(s)[:-1] + b',"kid":"' + b"A" * 43 + b'"}'),
    ("a list", lambda s: b"[]"),
    ("a text", lambda s: b'"header"'),
    ("no JSON", lambda s: b"header"),
    ("nested deep", lambda s: b"[" * 5000),
    ("a byte order mark", lambda s: b"\xef\xbb\xbf" + header(s)),
    ("bad UTF-8", lambda s: header(s)[:-1] + b',"\xff":1}'),
]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Where this process, and with it the service, connects to or asks for a name."""
    made: list[Any] = []
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def connecting(self: socket.socket, where: Any) -> None:
        made.append(where)
        connect(self, where)

    def resolving(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        made.append((host, port))
        return resolve(host, port, *rest, **named)

    monkeypatch.setattr(socket.socket, "connect", connecting)
    monkeypatch.setattr(socket, "getaddrinfo", resolving)
    return made


@pytest.mark.parametrize("make", [make for _, make in HEADERS], ids=[name for name, _ in HEADERS])
def test_a_header_with_anything_but_the_three_members_is_refused(
    stage: Scene, unchanged: None, connections: list[Any], make: Callable[[Scene], bytes]
) -> None:
    """Correctly signed all the same; and nobody is asked for a key."""
    payload = strictjson.canonical(sign_act(stage))
    text = with_header(make(stage), payload, key(stage, "bankcq"))
    refused(stage.post_event(text), 422, "bad_event")
    port = stage.platform.server.server_port
    assert {where[:2] for where in connections} == {("127.0.0.1", port)}


def test_the_header_in_another_order_is_the_same_header(stage: Scene) -> None:
    """RFC 7515 fixes no order of members; what is signed is the text that was sent."""
    kid = key(stage, "bankcq").public.kid
    turned = f'{{"typ":"{EVENT_TYP}","kid":"{kid}","alg":"Ed25519"}}'.encode()
    payload = strictjson.canonical(sign_act(stage))
    assert stage.post_event(with_header(turned, payload, key(stage, "bankcq"))).status == 201


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text + "=",
        lambda text: text.replace(".", "=.", 1),
        lambda text: text + ".",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text.replace(".", "..", 1),
        lambda text: text.rpartition(".")[0] + ".",
        lambda text: text.rpartition(".")[0],
        lambda text: text.replace("A", "+", 1) if "A" in text else text + "+",
        lambda text: text[:-1] + chr(ord(text[-1]) ^ 1),
        lambda text: json.dumps({"payload": text.split(".")[1], "signatures": []}),
        lambda text: text + "," + text,
        lambda text: text + "." + text,
        lambda text: text + "\u0000",
        lambda text: "",
    ],
    ids=[
        "padded",
        "the header padded",
        "a dot too many",
        "a line feed",
        "a blank before",
        "detached",
        "an empty signature",
        "no signature",
        "plain base64",
        "a last character with loose bits",
        "JSON serialisation",
        "two, with a comma",
        "two, with a dot",
        "a NUL behind",
        "nothing",
    ],
)
def test_a_jws_has_one_spelling(stage: Scene, unchanged: None, spoil: Callable[[str], str]) -> None:
    text = spoil(compact(sign_act(stage), key(stage, "bankcq")))
    answer = stage.post_event(text)
    assert answer.status == 422
    assert answer.json()["code"] in ("bad_event", "bad_signature")
