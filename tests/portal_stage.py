"""A platform in the middle of a voyage for the portal's tests, with hostile text in its documents.

Bill B is with the shipper `yunling`, who has signed nothing on it yet; bill A lies at `bankcq`, to
the order of `banksg`. `evil` is a party whose very name is an attack.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bol_service.application.disclosures import KIND as DISCLOSURE
from bol_service.application.documents import parse
from bol_service.cli.voyage import Voyage
from bol_service.cli.voyage_script import Script
from bol_service.client import Client
from bol_service.crypto.signers import write_private_key
from bol_service.wire.disclosure import MEDIA_TYPE
from bol_service.wire.disclosure_making import make
from bol_service.wire.document import read_document
from tests import kit
from tests.bill_scene import Answer, newcomer
from tests.hostile_payloads import PAYLOADS

Json = dict[str, Any]
PASSPHRASE = "correct horse battery staple"
CARRIER = "xlsc"
EVIL_NAME = "<img src=x onerror=pwned=1>\"'&{actor}"


@dataclass(frozen=True, kw_only=True)
class Stage:
    platform: kit.Platform
    voyage: Voyage
    clients: dict[str, Client]
    folder: Path
    bill_a: str
    bill_b: str

    @property
    def base_url(self) -> str:
        return self.platform.base_url

    def key_file(self, party: str) -> Path:
        """The party's key as `bol keys` keeps it: encrypted PKCS#8."""
        file = self.folder / f"{party}.key"
        if not file.exists():
            signer = self.platform.signers[party]
            write_private_key(file, signer._key, PASSPHRASE.encode())
        return file

    def register(self, asked: Json, roles: list[str]) -> None:
        """The operator registers what a browser has prepared."""
        details = {name: asked[name] for name in ("identity", "key", "keyProof")}
        self.clients["operator"].act(
            "REGISTER", f"party:{asked['party']}", {**details, "roles": roles}, after=None
        )

    def cookie(self, party: str) -> str:
        """The cookie of a party that has logged in."""
        return f"ebl-session={self.clients[party].token()}"

    def request(
        self,
        method: str,
        path: str,
        *,
        party: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        language: str = "en",
    ) -> Answer:
        """One request of a browser that is logged in as `party`."""
        cookies = [f"ebl-language={language}"] + ([self.cookie(party)] if party else [])
        sent = {"Cookie": "; ".join(cookies), **(headers or {})}
        connection = HTTPConnection(urlsplit(self.base_url).netloc, timeout=120)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(
                status=answer.status, headers=dict(answer.getheaders()), body=answer.read()
            )
        finally:
            connection.close()


def hostile_goods(script: Script) -> None:
    """Goods and marks that are attacks; a document has room for 50 marks."""
    item = script.document["consignmentItems"][0]
    item["descriptionOfGoods"] += PAYLOADS
    item["shippingMarks"] = list(PAYLOADS[-50:])


def commits_to_fields(platform: kit.Platform, voyage: Voyage) -> None:
    """The carrier commits to every field of bill A when it issues it, and to none of B."""
    plain = voyage.values.issue

    def issue(details: Json, signer: str) -> Json:
        if details["$issue"] != platform.script.voyage["bill"] or signer != CARRIER:
            return plain(details, signer)
        digest = voyage.saved[details["$issue"]]["digest"]
        content = platform.running.services.documents.own(digest, signer).content
        value = parse(content)
        full = make(
            value,
            read_document(content, value),
            carrier=signer,
            origin=kit.ORIGIN,
            platform=platform.base_url,
            at=voyage.now(),
            signer=platform.signers[signer],
        )
        voyage.clients[signer].upload(full.to_text().encode(), DISCLOSURE, MEDIA_TYPE)
        return {**plain(details, signer), "disclosure": full.digest}

    voyage.values.issue = issue  # type: ignore[method-assign]


@contextmanager
def stage(folder: Path, prepare: Callable[[Script], object] = hostile_goods) -> Iterator[Stage]:
    with kit.platform(folder) as platform:
        prepare(platform.script)
        voyage = platform.voyage()
        commits_to_fields(platform, voyage)
        voyage.open()
        for line in voyage.play():
            assert line.as_expected, line
            if line.step == "12n":
                break  # the voyage's clock stands still from here
        clients = dict(voyage.clients)
        clients["evil"] = newcomer(
            platform, voyage, "evil", "SG", {"roles": ["CONSIGNEE"]}, name=EVIL_NAME
        )
        for client in clients.values():
            client._token = None  # those of earlier days of the voyage have expired
        yield Stage(
            platform=platform,
            voyage=voyage,
            clients=clients,
            folder=folder,
            bill_a=voyage.bill,
            bill_b=str(voyage.saved["s417-issued"]["checksum"]),
        )


def registration(text: str) -> Json:
    """What the keys page hands to the operator."""
    value: Json = json.loads(text)
    return value
