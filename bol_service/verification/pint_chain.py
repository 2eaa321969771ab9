"""The receiver's judgement of a PINT envelope, pure (DCSA PINT 3.0, A.8).

`judge_envelope` takes these steps in this order and stops at the first that fails:

1. the body fits its schema: `wire.pint_envelope.read_envelope`, before this function;
2. manifest and entries are compact JWS (BENV), signed by a pinned platform key (BSIG) of the
   platform that the entry names (BENV); the manifest is signed by the platform of the last entry,
   which is the authenticated caller; the issuance manifest by the document's carrier (BSIG);
3. their payloads fit their schemas (BENV);
4. the entries are linked: the first has the issuance manifest and no predecessor, each other the
   checksum of the one before; the first transaction is ISSUE, and no other (BENV);
5. all name the checksum of this document, and ISSUE is directed to the party that the carrier's
   manifest names by its checksum (BENV);
6. the chain agrees with what is known here (DUPE, DISE): before step 7, since whoever retells a
   chain may well send its old manifest;
7. the manifest names the checksum of the last entry (BENV);
8. the transactions make sense (BENV), the last one directed to a party that is known here;
9. the visualisation is that of the carrier and of the first transfer (BENV);
10. what is missing of the declared documents.
"""

from __future__ import annotations

from datetime import datetime

from bol_service.crypto import peer_jws
from bol_service.crypto.jws import BadJws
from bol_service.crypto.peer_jws import PeerJws
from bol_service.verification import pint_history
from bol_service.verification.pint_history import Contradiction, KnownHistory
from bol_service.verification.pint_judgement import (
    Accepted,
    ChainFacts,
    Duplicate,
    Judgement,
    Unsigned,
)
from bol_service.verification.pint_possession import (
    ChainError,
    ForeignAct,
    check_issue,
    possession,
    transactions,
)
from bol_service.verification.pint_signatures import (
    Issuance,
    Judge,
    Knows,
    Refusal,
    carrier_issuance,
    check_sealed,
    claimed_platform,
    entry_signer,
    parsed_jws,
)
from bol_service.wire.peers import PeerOptions, Pins
from bol_service.wire.pint_answers import ResponseCode
from bol_service.wire.pint_entry import ChainEntry, IssuanceManifest, chain_entry
from bol_service.wire.pint_envelope import (
    DocumentMetadata,
    EblEnvelope,
    EnvelopeManifest,
    envelope_manifest,
)
from bol_service.wire.pint_forms import PintFormatError
from bol_service.wire.pint_parties import issue_to_checksum


def judge_envelope(
    envelope: EblEnvelope,
    *,
    pins: Pins,
    known: KnownHistory,
    me: str,
    moment: datetime,
    knows: Knows,
    options: PeerOptions | None = None,
    caller: str | None = None,
) -> Judgement:
    """`me` is this platform's code, `caller` that of the authenticated peer, None where none is
    authenticated: then whoever obtained an envelope can make this platform sign answers about it.
    `options` are those of the sender, see `claimed_sender`."""
    judge = Judge(
        pins=pins,
        known=known,
        me=me,
        moment=moment,
        options=options or PeerOptions(),
        knows=knows,
    )
    sender = claimed_sender(envelope)
    if caller is not None and sender is not None and sender != caller:
        reason = f"the envelope is by {sender}, but was sent by {caller}"
        return Unsigned(reason=reason, may_retry=False)
    try:
        return _judged(envelope, judge)
    except Refusal as refusal:
        return refusal.refused


def claimed_sender(envelope: EblEnvelope) -> str | None:
    """The platform that the last entry names, unverified: only to choose options by."""
    try:
        return claimed_platform(peer_jws.parse(envelope.chain[-1]))
    except BadJws:
        return None


def _judged(envelope: EblEnvelope, judge: Judge) -> Judgement:
    texts = [parsed_jws(f"entry {index}", text) for index, text in enumerate(envelope.chain)]
    sealed = parsed_jws("the manifest", envelope.manifest)
    signers = [entry_signer(texts, index, judge) for index in range(len(texts))]
    sender = signers[-1]
    check_sealed(sealed, sender, judge)
    entries = [_entry(index, parsed) for index, parsed in enumerate(texts)]
    manifest = _manifest(sealed)
    _check_recorders(entries, signers)
    issuance = carrier_issuance(envelope, entries[0], judge)
    _check_links(entries, texts, judge.options)
    acts = _acts(entries, judge.options)
    _check_document(envelope.document_checksum, manifest, entries, issuance.manifest)
    _check_issue_to(texts[0], issuance.manifest, judge)
    try:
        found = pint_history.compare(texts, signers, judge.known, judge.me)
    except Contradiction as error:
        raise Refusal(ResponseCode.DISE, str(error)) from None
    if isinstance(found, pint_history.Repeated):
        return Duplicate(sender=sender, of=found.text, held=_held(manifest, judge.known))
    if isinstance(found, pint_history.Unsettled):
        return Unsigned(reason=found.reason, may_retry=True)
    _check_last(manifest, texts[-1])
    facts = _facts(envelope, texts, acts, issuance, judge.options)
    _check_recipient(facts, judge)
    _check_visualisation(manifest, issuance.manifest, judge.known)
    return Accepted(
        sender=sender,
        facts=facts,
        manifest=manifest,
        known=found.known,
        new=tuple(act for act in facts.acts if act.entry >= found.known),
        missing=_missing(manifest, judge.known),
        moves=facts.possession.is_at(judge.me),
        is_retry=found.is_retry,
    )


def _entry(index: int, parsed: PeerJws) -> ChainEntry:
    try:
        return chain_entry(parsed.value)
    except (BadJws, PintFormatError) as error:
        raise Refusal(ResponseCode.BENV, f"entry {index}: {error}") from None


def _manifest(sealed: PeerJws) -> EnvelopeManifest:
    try:
        manifest = envelope_manifest(sealed.value)
    except (BadJws, PintFormatError) as error:
        raise Refusal(ResponseCode.BENV, f"the manifest: {error}") from None
    sizes: dict[str, int] = {}
    for each in filter(None, (manifest.visualisation, *manifest.supporting)):
        if sizes.setdefault(each.checksum, each.size) != each.size:
            reason = f"the manifest declares {each.checksum} with {each.size} bytes and with others"
            raise Refusal(ResponseCode.BENV, reason)
    return manifest


def _check_recorders(entries: list[ChainEntry], signers: list[str]) -> None:
    for index, (entry, signer) in enumerate(zip(entries, signers, strict=True)):
        if entry.platform != signer:
            reason = f"entry {index} names {entry.platform}, but {signer} signed it"
            raise Refusal(ResponseCode.BENV, reason)


def _check_links(entries: list[ChainEntry], texts: list[PeerJws], options: PeerOptions) -> None:
    first, *others = entries
    if first.previous is not None:
        raise Refusal(ResponseCode.BENV, "entry 0 names a predecessor; the first has none")
    if first.registry is not None and not options.ignore_registry:
        reason = f"the registry {first.registry} decides on this bill and is not consulted here"
        raise Refusal(ResponseCode.BENV, reason)
    for index, (entry, before) in enumerate(zip(others, texts, strict=False), 1):
        if entry.previous != before.digest:
            reason = f"entry {index} follows {entry.previous}; entry {index - 1} is {before.digest}"
            raise Refusal(ResponseCode.BENV, reason)
        if entry.registry is not None or entry.issuance_manifest is not None:
            reason = f"entry {index} has a member that only the first entry has"
            raise Refusal(ResponseCode.BENV, reason)


def _acts(entries: list[ChainEntry], options: PeerOptions) -> tuple[ForeignAct, ...]:
    acts = transactions(entries)
    try:
        check_issue(acts, options)
    except ChainError as error:
        raise Refusal(ResponseCode.BENV, str(error)) from None
    return acts


def _check_document(
    checksum: str,
    manifest: EnvelopeManifest,
    entries: list[ChainEntry],
    issuance: IssuanceManifest,
) -> None:
    named = {"the manifest": manifest.document_checksum}
    named |= {f"entry {index}": each.document_checksum for index, each in enumerate(entries)}
    named["the issuance manifest"] = issuance.document_checksum
    for name, stated in named.items():
        if stated != checksum:
            reason = f"{name} is about the document {stated}; the one sent is {checksum}"
            raise Refusal(ResponseCode.BENV, reason)


def _check_issue_to(first: PeerJws, issuance: IssuanceManifest, judge: Judge) -> None:
    """As written, with members that are not known here: the carrier has signed their checksum."""
    if judge.options.other_issue_to or judge.known.knows(first.text):
        return
    recipient = first.value["transactions"][0].get("recipient")
    told = None if recipient is None else issue_to_checksum(recipient)
    if told != issuance.issue_to_checksum:
        reason = f"the carrier issued to {issuance.issue_to_checksum}; ISSUE is directed to {told}"
        raise Refusal(ResponseCode.BENV, reason)


def _check_last(manifest: EnvelopeManifest, last: PeerJws) -> None:
    if manifest.last_checksum != last.digest:
        reason = f"the manifest ends with {manifest.last_checksum}, the chain with {last.digest}"
        raise Refusal(ResponseCode.BENV, reason)


def _facts(
    envelope: EblEnvelope,
    texts: list[PeerJws],
    acts: tuple[ForeignAct, ...],
    issuance: Issuance,
    options: PeerOptions,
) -> ChainFacts:
    try:
        state = possession(acts, to_order=envelope.document["isToOrder"], options=options)
    except ChainError as error:
        raise Refusal(ResponseCode.BENV, str(error)) from None
    return ChainFacts(
        document_checksum=envelope.document_checksum,
        entries=tuple(texts),
        acts=acts,
        possession=state,
        carrier=issuance.carrier,
        issuance=issuance.manifest,
    )


def _check_recipient(facts: ChainFacts, judge: Judge) -> None:
    recipient = facts.acts[-1].recipient
    if recipient is None:
        reason = f"the last transaction is {facts.acts[-1].action}, directed to nobody"
        raise Refusal(ResponseCode.BENV, reason)
    if recipient.platform != judge.me:
        reason = f"the last transaction is directed to {recipient.platform}; this is {judge.me}"
        raise Refusal(ResponseCode.BENV, reason)
    possessor = facts.possession.possessor
    for party in (recipient, possessor) if possessor.platform == judge.me else (recipient,):
        if not judge.knows(party):
            reason = f"the recipient {party.name} cannot be found here or cannot receive"
            raise Refusal(ResponseCode.BENV, reason)


def _check_visualisation(
    manifest: EnvelopeManifest, issuance: IssuanceManifest, known: KnownHistory
) -> None:
    sent = None if manifest.visualisation is None else manifest.visualisation.checksum
    if known.visualisation is not None and sent != known.visualisation:
        reason = f"the visualisation was {known.visualisation} at first, now it is {sent}"
        raise Refusal(ResponseCode.BENV, reason)
    signed = issuance.visualisation_checksum
    if sent is not None and signed is not None and sent != signed:
        raise Refusal(ResponseCode.BENV, f"the carrier's visualisation is {signed}, not {sent}")


def _missing(manifest: EnvelopeManifest, known: KnownHistory) -> tuple[DocumentMetadata, ...]:
    return tuple(each for each in manifest.documents if each.checksum not in known.held)


def _held(manifest: EnvelopeManifest, known: KnownHistory) -> tuple[str, ...]:
    return tuple(each.checksum for each in manifest.documents if each.checksum in known.held)
