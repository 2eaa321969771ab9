"""The Singapore platform alone, with other platforms simulated by hand: `tests.pint_story`.

`Post` speaks PINT to it over HTTP and reads its signed answers with the platform's pinned key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bol_service.crypto import peer_jws
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.crypto.signers import LocalSigner, generate
from bol_service.wire.event_fields import instant_text
from bol_service.wire.pint_answers import (
    FinishedResponse,
    ResponseCode,
    read_finished_response,
    read_signed_body,
)
from tests.pint_story import CARRIER, CQ, NOW, SG, TH, house
from tests.two_platforms import SG_CAST, Side, _open, _open_desk, _prepared

Json = dict[str, Any]
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, kw_only=True)
class Reply:
    status: int
    content: bytes
    answer: FinishedResponse | None

    @property
    def code(self) -> ResponseCode | None:
        return self.answer.code if self.answer is not None else None

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(kw_only=True)
class Post:
    side: Side

    def post(self, path: str, body: bytes, media_type: str = "application/json") -> Reply:
        return self._ask("POST", path, body, media_type)

    def put(self, path: str, body: bytes = b"") -> Reply:
        return self._ask("PUT", path, body, "application/json")

    def offer(self, body: bytes) -> Reply:
        return self.post("/v3/envelopes", body)

    def upload(self, reference: str, checksum: str, encoded: str) -> Reply:
        path = f"/v3/envelopes/{reference}/additional-documents/{checksum}"
        return self.put(path, json.dumps(encoded).encode())

    def finish(self, reference: str) -> Reply:
        return self.put(f"/v3/envelopes/{reference}/finish-transfer")

    def _ask(self, method: str, path: str, body: bytes, media_type: str) -> Reply:
        address = urlsplit(self.side.settings.base_url)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=120)
        try:
            connection.request(method, path, body=body, headers={"Content-Type": media_type})
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return Reply(
            status=response.status, content=content, answer=self._signed(response.status, content)
        )

    def _signed(self, status: int, content: bytes) -> FinishedResponse | None:
        if status not in (200, 409, 422) or not content.startswith(b'"'):
            return None
        parsed = peer_jws.parse(read_signed_body(content))
        peer_jws.verify(parsed, [PinnedKey.from_jwk(self.side.pint.public.to_jwk())], NOW)
        return read_finished_response(parsed.value)


@contextmanager
def border_post(folder: Path, *, options: Json | None = None) -> Iterator[Post]:
    """`options` are those of the simulated Chongqing."""
    signers = {slug: LocalSigner(generate(Algorithm.ED25519)) for slug in SG_CAST}
    pint = LocalSigner(generate(Algorithm.ES256))
    side = _prepared(folder / "sg", SG, signers, pint, lambda: NOW)
    platforms: Json = {code: {"url": NOWHERE, "keys": [_pin(code)]} for code in (CQ, TH)}
    if options:
        platforms[CQ]["options"] = options
    assert side.settings.peers is not None
    assert side.settings.clock_file is not None
    side.settings.peers.write_text(
        json.dumps({"platforms": platforms, "carriers": {CARRIER: {"keys": [_pin(CARRIER)]}}}),
        encoding="utf-8",
    )
    side.settings.clock_file.write_text(instant_text(NOW), encoding="ascii")
    side.serve()
    try:
        _open(side, SG_CAST)
        _open_desk(side)
        yield Post(side=side)
    finally:
        if side.served is not None:
            side.hand_over()


def _pin(code: str) -> Json:
    signer: Any = house(code).signer
    return {"jwk": signer._signer.public.to_jwk()}
