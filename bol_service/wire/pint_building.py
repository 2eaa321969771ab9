"""Writing what we send by PINT: chain entries, manifests, envelopes.

- What we sign must pass the schema by which we judge others; otherwise nothing is signed.
- The transport document goes out byte for byte as it was received.
- ES256 and PS256 are randomised: build each entry and each manifest once, store the text, and send
  the stored text again in every retry. A second build would be another chain.
- An entry is no longer than a receiver's answer can repeat (DUPE): of very many transactions the
  parties' own signed events, which the standard does not ask for, are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bol_service.crypto import peer_jws, strictjson
from bol_service.crypto.peer_jws import text_digest
from bol_service.crypto.peer_signers import PeerSigner
from bol_service.wire.pint_entry import ChainEntry, Transaction, chain_entry
from bol_service.wire.pint_envelope import (
    DocumentMetadata,
    EnvelopeManifest,
    envelope_manifest,
)

MAX_ENTRY: Final = 750_000
"""Characters; a signed answer that repeats so much is still read (`peer_jws.MAX_BYTES`)."""


def build_chain_entry(
    *,
    platform: str,
    document_checksum: str,
    transactions: Sequence[Transaction],
    signer: PeerSigner,
    issuance_manifest: str | None = None,
    after: str | None = None,
) -> str:
    """The compact JWS of the entry that follows `after`, the text of the entry before; the first
    entry carries the carrier's issuance manifest instead. Raises ValueError when it has both or
    neither, PintFormatError when a member does not fit."""
    if (after is None) == (issuance_manifest is None):
        raise ValueError(
            "the first entry of a chain has the issuance manifest, every other a predecessor;"
            " give exactly one of them"
        )
    entry = ChainEntry(
        platform=platform,
        document_checksum=document_checksum,
        transactions=tuple(transactions),
        previous=None if after is None else text_digest(after),
        issuance_manifest=issuance_manifest,
    )
    text = _signed_entry(entry, signer)
    if len(text) <= MAX_ENTRY:
        return text
    bare = tuple(replace(each, signed_event=None) for each in entry.transactions)
    return _signed_entry(replace(entry, transactions=bare), signer)


def _signed_entry(entry: ChainEntry, signer: PeerSigner) -> str:
    value = entry.to_json()
    chain_entry(value)
    return peer_jws.sign(strictjson.canonical(value), signer)


def build_manifest(
    *,
    document_checksum: str,
    last_entry: str,
    signer: PeerSigner,
    visualisation: DocumentMetadata | None = None,
    supporting: Sequence[DocumentMetadata] = (),
) -> str:
    """The compact JWS of the manifest for one transfer; raises PintFormatError."""
    manifest = EnvelopeManifest(
        document_checksum=document_checksum,
        last_checksum=text_digest(last_entry),
        visualisation=visualisation,
        supporting=tuple(supporting),
    )
    value = manifest.to_json()
    envelope_manifest(value)
    return peer_jws.sign(strictjson.canonical(value), signer)


def build_envelope(
    document: bytes, *, manifest: str, chain: Sequence[str], root_issuance: str | None = None
) -> bytes:
    """The body of POST /v3/envelopes around the document's own bytes; raises BadJson when they
    are no JSON object. `root_issuance` is the carrier's manifest where the chain came with it
    beside its entries."""
    if not isinstance(strictjson.loads_document(document), dict):
        raise strictjson.BadJson("the transport document is not a JSON object", "")
    rest: dict[str, object] = {
        "envelopeManifestSignedContent": manifest,
        "envelopeTransferChain": list(chain),
    }
    if root_issuance is not None:
        rest["issuanceManifestSignedContent"] = root_issuance
    return b'{"transportDocument":%b,%b' % (document, json.dumps(rest).encode("ascii")[1:])


def describe(content: bytes, *, name: str, media_type: str) -> DocumentMetadata:
    """A document as a manifest declares it."""
    return DocumentMetadata(
        name=name,
        size=len(content),
        media_type=media_type,
        checksum=hashlib.sha256(content).hexdigest(),
    )
