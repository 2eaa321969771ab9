"""Issuance manifests: whose signature is believed, and what of it goes into the ledger.

A carrier's system signs manifests as DCSA leaves it free to: RS256, PS256, ES256, any header. The
gateway believes its own key and the keys it was given. The ledger takes manifests of the carrier's
registered keys only, in the strict form of `crypto.jws`: such a one is passed on as it came; any
other is replaced by one over the same checksums, signed with the gateway's key.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from bol_service.crypto import jws, peer_jws, strictjson
from bol_service.crypto.peer_jws import PeerJws
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.crypto.signers import Signer
from bol_service.wire.pint_entry import IssuanceManifest


def check(signed: PeerJws, trusted: Sequence[PinnedKey], now: datetime) -> None:
    """Raises BadSignature."""
    peer_jws.verify(signed, trusted, now)


def for_ledger(
    signed: PeerJws, manifest: IssuanceManifest, registered: Collection[str], signer: Signer
) -> str:
    """The manifest that ISSUE carries; `signed` was checked before."""
    value = {
        "documentChecksum": manifest.document_checksum,
        "issueToChecksum": manifest.issue_to_checksum,
    }
    if manifest.visualisation_checksum is not None:
        value["eBLVisualisationByCarrierChecksum"] = manifest.visualisation_checksum
    if signed.value == value and _is_strict(signed.text, registered):
        return signed.text
    return jws.sign(strictjson.canonical(value), None, signer)


def _is_strict(text: str, registered: Collection[str]) -> bool:
    try:
        return jws.parse(text, None).kid in registered
    except jws.BadJws:
        return False
