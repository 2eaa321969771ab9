"""A log in memory that says whatever a test wants, signed with a key that a test stole.

`ForgedLog` is also the WSGI application of its public endpoints, as a dishonest platform serves
them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from bol_service.crypto.signers import Signer
from bol_service.ledger.checkpoint import Checkpoint
from bol_service.ledger.entry import public_entry, split_public_entry, stream_tag
from bol_service.ledger.note import sign_note, to_base64
from bol_service.ledger.tiles import parse_tile, write_entries
from tests.ledger_log import MemoryLog


class ForgedLog:
    """`entries` are public entries; `shown` is the size it admits to."""

    def __init__(self, origin: str, signer: Signer, entries: Sequence[bytes]) -> None:
        self.origin = origin
        self.signer = signer
        self.entries = list(entries)
        self.shown = len(self.entries)
        self.parties: dict[str, list[str]] = {}
        self.hidden = 0  # the last acts of a party that its page does not show
        self.log = MemoryLog(self.entries)

    def add(self, *entries: bytes) -> None:
        self.entries += entries
        self.log = MemoryLog(self.entries)
        self.shown = len(self.entries)

    def note(self, size: int | None = None) -> str:
        shown = self.shown if size is None else size
        body = Checkpoint(origin=self.origin, size=shown, root=self.log.roots[shown]).body()
        public = self.signer.public.public_bytes_raw
        return sign_note(body, self.origin, self.signer.sign, public)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        content = self._content(environ["PATH_INFO"].strip("/").split("/"))
        start_response("200 OK" if content is not None else "404 Not Found", [])
        return [content if content is not None else b"{}"]

    def _content(self, path: list[str]) -> bytes | None:
        if path == ["ledger", "checkpoint"]:
            return self.note().encode()
        if path[:3] == ["ledger", "proof", "consistency"]:
            proof = self.log.consistency(int(path[3]), int(path[4]))
            return json.dumps({"proof": [to_base64(item) for item in proof]}).encode()
        if path[:3] == ["ledger", "tile", "entries"]:
            tile = parse_tile("/".join(path[1:]))
            return write_entries(self.entries[tile.first : tile.first + tile.width])
        if path[:2] == ["v1", "parties"] and path[2] in self.parties:
            return json.dumps(self._party(path[2])).encode()
        return None

    def _party(self, slug: str) -> dict[str, Any]:
        tag = stream_tag(f"party:{slug}")
        acts = sum(split_public_entry(entry)[0] == tag for entry in self.entries)
        keys = [{"kid": kid} for kid in self.parties[slug]]
        return {"keys": keys, "sequence": acts - 1 - self.hidden}


def entry(stream: str, sequence: int, content: str = "") -> bytes:
    """A public entry; `content` tells apart what stands at the same place."""
    return public_entry(stream_tag(stream), sequence, stream_tag(f"{stream}{sequence}{content}"))


def entries(count: int, stream: str = "party:p") -> list[bytes]:
    return [entry(f"{stream}{number}", 0) for number in range(count)]
