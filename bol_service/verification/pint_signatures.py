"""Steps 2 and 3 of judging an envelope: whose signatures are these (DCSA PINT 3.0, A.6 to A.8).

1. Every text is a compact JWS (BENV).
2. An entry is signed by a pinned key of a platform (BSIG); which one is found by the signature, and
   compared with the platform that the entry names later on.
3. The manifest is signed by the platform that signed the last entry (BSIG).
4. The issuance manifest is signed by the carrier that the document names (BSIG).

Moments: manifest and last entry are fresh, so their keys must be valid now. Earlier entries and the
issuance manifest must have been signed with keys that were valid when they say they were made; who
continued the chain has vouched for them. An entry known here was checked when it became known, and
with it the issuance manifest in it; it stands though its key has expired or is pinned no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bol_service.crypto import peer_jws
from bol_service.crypto.jws import BadJws, BadSignature
from bol_service.crypto.peer_jws import PeerJws
from bol_service.crypto.peer_keys import PinnedKey
from bol_service.verification.pint_history import KnownHistory
from bol_service.verification.pint_judgement import Refused
from bol_service.wire.peers import PeerOptions, Pins
from bol_service.wire.pint_answers import ResponseCode
from bol_service.wire.pint_entry import ChainEntry, IssuanceManifest, chain_entry, issuance_manifest
from bol_service.wire.pint_envelope import EblEnvelope
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.pint_parties import ChainParty

Knows = Callable[[ChainParty], bool]
"""Whether exactly one party of this platform answers to these codes and may receive."""


class Refusal(Exception):  # noqa: N818 - carries a judgement, not an error
    def __init__(self, code: ResponseCode, reason: str) -> None:
        super().__init__(reason)
        self.refused = Refused(code=code, reason=reason)


@dataclass(frozen=True, kw_only=True)
class Judge:
    """Who judges, when, and with what."""

    pins: Pins
    known: KnownHistory
    me: str
    moment: datetime
    options: PeerOptions
    knows: Knows


@dataclass(frozen=True, kw_only=True)
class Issuance:
    carrier: str
    manifest: IssuanceManifest


def parsed_jws(name: str, text: str) -> PeerJws:
    """Raises Refusal."""
    try:
        return peer_jws.parse(text)
    except BadJws as error:
        raise Refusal(ResponseCode.BENV, f"{name}: {error}") from None


def claimed_platform(parsed: PeerJws) -> str | None:
    """What the payload says, verified or not."""
    try:
        claimed = parsed.value.get("eblPlatform")
    except BadJws:
        return None
    return claimed if isinstance(claimed, str) else None


def entry_signer(chain: list[PeerJws], index: int, judge: Judge) -> str:
    """The platform whose key signed the entry; raises Refusal."""
    parsed = chain[index]
    claimed = claimed_platform(parsed)
    if claimed is not None and judge.known.knows(parsed.text):
        return claimed
    moment = judge.moment if index == len(chain) - 1 else _made_at(parsed, judge.moment)
    reason = f"no key of {claimed} is pinned"
    for code, keys in _claimed_first(judge.pins, claimed):
        try:
            peer_jws.verify(parsed, keys, moment)
        except BadSignature as error:
            reason = str(error) if code == claimed else reason
        else:
            return code
    raise Refusal(ResponseCode.BSIG, f"entry {index}: {reason}")


def check_sealed(sealed: PeerJws, sender: str, judge: Judge) -> None:
    """The manifest's signature; raises Refusal."""
    try:
        peer_jws.verify(sealed, judge.pins.platforms.get(sender, ()), judge.moment)
    except BadSignature as error:
        raise Refusal(ResponseCode.BSIG, f"the manifest, as of {sender}: {error}") from None


def carrier_issuance(envelope: EblEnvelope, first: ChainEntry, judge: Judge) -> Issuance:
    """The issuance manifest of the chain whose first entry is `first`; raises Refusal."""
    text = first.issuance_manifest
    is_known = text is not None and judge.known.knows(envelope.chain[0])
    if text is None and judge.options.issuance_manifest_at_root:
        text = envelope.root_issuance_manifest
    if text is None:
        raise Refusal(ResponseCode.BENV, "entry 0 has no issuanceManifestSignedContent")
    parsed = parsed_jws("the issuance manifest", text)
    carrier = _carrier(envelope.document)
    if not is_known:
        _check_carrier(parsed, carrier, min(judge.moment, first.transactions[0].at), judge)
    try:
        manifest = issuance_manifest(parsed.value)
    except (BadJws, PintFormatError) as error:
        raise Refusal(ResponseCode.BENV, f"the issuance manifest: {error}") from None
    return Issuance(carrier=carrier, manifest=manifest)


def _check_carrier(parsed: PeerJws, carrier: str, issued_at: datetime, judge: Judge) -> None:
    try:
        peer_jws.verify(parsed, judge.pins.carriers.get(carrier, ()), issued_at)
    except BadSignature as error:
        reason = f"the issuance manifest, as of {carrier}: {error}"
        raise Refusal(ResponseCode.BSIG, reason) from None


def _claimed_first(pins: Pins, claimed: str | None) -> Iterator[tuple[str, tuple[PinnedKey, ...]]]:
    yield from sorted(pins.platforms.items(), key=lambda pinned: pinned[0] != claimed)


def _made_at(parsed: PeerJws, moment: datetime) -> datetime:
    """When an entry says it was made, never later than `moment`."""
    try:
        return min(moment, chain_entry(parsed.value).transactions[-1].at)
    except (BadJws, PintFormatError):
        return moment


def _carrier(document: dict[str, Any]) -> str:
    return f"{document['carrierCodeListProvider']}:{document['carrierCode']}"
