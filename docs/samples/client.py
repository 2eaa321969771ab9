"""A party's client with joserfc and the standard library alone.

    python client.py URL ORIGIN PARTY KEY.pem BILL

Proves who asks, reads a bill, signs as its holder, sends the event, prints the receipt's index.
"""

import json
import os
import secrets
import sys
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from joserfc import jws
from joserfc.errors import InvalidKeyTypeError
from joserfc.jwk import ECKey, OKPKey

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def canonical(value: object) -> bytes:
    """RFC 8785, as long as there are no floats and member names are ASCII, as in every event."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def load(path: str) -> OKPKey | ECKey:
    pem = Path(path).read_bytes()
    try:
        return OKPKey.import_key(pem)
    except InvalidKeyTypeError:
        return ECKey.import_key(pem)


def sign(key: OKPKey | ECKey, typ: str, value: object) -> str:
    """A compact JWS whose header is exactly alg, kid and typ."""
    alg = "Ed25519" if isinstance(key, OKPKey) else "ES256"
    header = {"alg": alg, "kid": key.thumbprint(), "typ": typ}
    return jws.serialize_compact(header, canonical(value), key, algorithms=[alg])


def uuid7() -> str:
    value = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    return str(uuid.UUID(int=value & ~(0b11 << 62) | 0b10 << 62))


def call(url: str, body: bytes | None = None, **headers: str) -> dict:
    """A JSON answer; a refusal raises HTTPError, whose body is a problem with code and nextStep."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    request = Request(url, body, named)  # noqa: S310 - the address is the caller's own
    with urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def token(url: str, party: str, key: OKPKey | ECKey) -> str:
    now = int(time.time())
    claims = {
        "iss": party,
        "sub": party,
        "aud": f"{url}/oauth/token",
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_urlsafe(16),
    }
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": sign(key, "client-authentication+jwt", claims),
    }
    media_type = "application/x-www-form-urlencoded"
    answer = call(f"{url}/oauth/token", urlencode(form).encode(), Content_Type=media_type)
    return answer["access_token"]


def main(url: str, origin: str, party: str, key_file: str, bill: str) -> None:
    key = load(key_file)
    bearer = f"Bearer {token(url, party, key)}"
    print("status", call(f"{url}/v1/bills/{bill}", Authorization=bearer)["status"])

    stream = f"bill:{bill}"
    head = call(f"{url}/v1/streams/{quote(stream, safe='')}/head", Authorization=bearer)
    event = {
        "v": 1,
        "id": uuid7(),
        "action": "SIGN",
        "actor": party,
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:23] + "Z",
        "audience": origin,
        "stream": stream,
        "sequence": head["sequence"] + 1,
        "previous": head["digest"],
        "details": {},
    }
    compact = sign(key, "ebl-event+jws", event)
    receipt = call(f"{url}/v1/events", compact.encode(), Content_Type="application/jose")
    print("recorded at index", receipt["index"])


if __name__ == "__main__":
    main(*sys.argv[1:])
