"""A party's connection to another platform's ledger, through its own platform (docs/adr/0030).

The party signs for the other ledger, under its name there, and speaks to its own platform only:
`home` is its connection there, `origin` and `party` are those of the other ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bol_service.client import Answered, Client, Refused
from bol_service.domain.states import Head


@dataclass(kw_only=True)
class ClientAbroad(Client):
    home: Client

    def head(self, stream: str) -> Head | None:
        path = f"/v1/abroad/streams/{quote(stream, safe='')}/head"
        try:
            found = self.home.get(path, origin=self.origin)
        except Refused as refused:
            if refused.code == "not_found":
                return None
            raise
        return Head(sequence=found["sequence"], digest=found["digest"])

    def send(self, compact: str) -> dict[str, Any]:
        answered = self.home.relay(compact)
        receipt: dict[str, Any] = answered.json()
        return receipt

    def fetch(self, path: str, **query: str) -> Answered:
        """What my own platform tells, under my name there."""
        return self.home.fetch(path, **query)


def through(home: Client, *, origin: str, name: str | None = None) -> ClientAbroad:
    """Act on the ledger `origin` as `name` (the same slug, if none is given) through `home`."""
    return ClientAbroad(
        base_url=home.base_url,
        origin=origin,
        party=name or home.party,
        signer=home.signer,
        now=home.now,
        home=home,
    )
