"""Every message that two live platforms send each other, taken apart and named by the standard.

`listening` stands in front of both platforms. A message that is a compact JWS, or holds some, is
told by their payloads, each under the name of its schema.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bol_service.crypto import peer_jws
from tests.two_platforms import Side, Two

DOCUMENT = "DocumentInBase64"
"""A JSON string; the standard has no schema of it."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """`to` is the platform that was called, `of` the one that wrote it."""

    name: str
    value: Any
    of: str
    to: str


@dataclass(kw_only=True)
class Heard:
    messages: list[Message] = field(default_factory=list)

    def names(self, of: str) -> set[str]:
        return {message.name for message in self.messages if message.of == of}

    def codes(self, of: str) -> list[str]:
        """The response codes that a platform has signed."""
        return [
            message.value["responseCode"]
            for message in self.messages
            if (message.of, message.name) == (of, "EnvelopeTransferFinishedResponse")
        ]


@contextmanager
def listening(two: Two) -> Iterator[Heard]:
    heard = Heard()
    for caller, called in ((two.cq, two.sg), (two.sg, two.cq)):
        _stand_before(caller, called, heard)
    yield heard


def _stand_before(caller: Side, called: Side, heard: Heard) -> None:
    app = called.served

    def served(environ: Any, start_response: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/v3/"):
            return app(environ, start_response)  # type: ignore[no-any-return]
        request = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(request)
        begun: list[Any] = []

        def told(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            begun.append((int(status[:3]), dict(headers)))
            return start_response(status, headers, *more)

        answer = b"".join(app(environ, told))
        (status, headers), path = begun[0], environ["PATH_INFO"]
        assert headers["API-Version"] == "3.0.0"
        assert status == 204 or headers["Content-Type"] == "application/json"
        for of, found in (
            (caller.code, asked(path, request)),
            (called.code, answered(path, status, answer)),
        ):
            heard.messages += [
                Message(name=name, value=value, of=of, to=called.code) for name, value in found
            ]
        return [answer]

    called.served = served


def asked(path: str, body: bytes) -> Iterator[tuple[str, Any]]:
    if path == "/v3/envelopes":
        value = json.loads(body)
        yield "EblEnvelope", value
        yield "EnvelopeManifest", _payload(value["envelopeManifestSignedContent"])
        for text in value["envelopeTransferChain"]:
            entry = _payload(text)
            yield "EnvelopeTransferChainEntry", entry
            if "issuanceManifestSignedContent" in entry:
                yield "IssuanceManifest", _payload(entry["issuanceManifestSignedContent"])
    elif path == "/v3/receiver-validation":
        yield "IdentifyingCode", json.loads(body)
    elif "/additional-documents/" in path:
        assert base64.b64decode(json.loads(body), validate=True)
        yield DOCUMENT, json.loads(body)
    else:
        assert re.fullmatch(r"/v3/envelopes/[^/]{1,100}/finish-transfer", path)
        assert body == b""


def answered(path: str, status: int, body: bytes) -> Iterator[tuple[str, Any]]:
    if status == 204:
        assert (body, "/additional-documents/" in path) == (b"", True)
    elif status == 201:
        yield "EnvelopeTransferStartedResponse", json.loads(body)
    elif path == "/v3/receiver-validation" and status == 200:
        yield "ReceiverValidationResponse", json.loads(body)
    elif isinstance(json.loads(body), str):
        assert status in (200, 409, 422)
        yield "EnvelopeTransferFinishedResponse", _payload(json.loads(body))
    else:
        yield "ErrorResponse", json.loads(body)


def _payload(text: str) -> Any:
    return peer_jws.parse(text).value
