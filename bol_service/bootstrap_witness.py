"""The part of the composition root that is about witnesses: those we ask, and ourselves as one.

Refused at start: a witness key that is used for anything else, a log or a witness that is our own,
a policy that cannot be read. A witness that does not answer refuses nothing.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from bol_service.application.agreement import require_agreement
from bol_service.application.cosigning import Cosigning
from bol_service.application.ports import Clock, Store
from bol_service.application.witness import Witness
from bol_service.application.witness_ports import WitnessAway, WitnessPeer
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import Signer, open_signer
from bol_service.http.witness_client import HttpWitness, tls_context
from bol_service.ledger.note import KeyType, NoteError, VerifierKey
from bol_service.ledger.policy import KnownLog, Policy, PolicyError, parse_policy
from bol_service.settings import Settings, SettingsError
from bol_service.storage.witnessing import SqlWitnessing

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Witnesses:
    """`policy` and `peers` are those we ask; the rest is ourselves as a witness, if we are one."""

    policy: Policy = field(default_factory=Policy)
    peers: Mapping[str, WitnessPeer] = field(default_factory=dict)
    signer: Signer | None = None
    key: VerifierKey | None = None
    logs: tuple[KnownLog, ...] = ()

    def reserved(self) -> tuple[Signer, ...]:
        """Our signer as a witness; no party may register its key."""
        return (self.signer,) if self.signer is not None else ()


def witnesses_of(settings: Settings, *others: Signer) -> Witnesses:
    """Read policies and key; `others` are the platform's signers.

    Raises:
        SettingsError, KeyFileError: Each names the setting at fault.
    """
    policy = _policy("BOL_WITNESSES", settings.witnesses)
    peers = _peers(settings, policy)
    if settings.witness_key is None:
        return Witnesses(policy=policy, peers=peers)
    signer = open_signer(settings.witness_key, lambda: settings.passphrase)
    key = witness_verifier_key(settings, signer)
    logs = tuple(_policy("BOL_WITNESSED_LOGS", settings.witnessed_logs).logs)
    _require_own_use(settings, signer, others)
    _require_strangers(settings, key, policy, logs)
    return Witnesses(policy=policy, peers=peers, signer=signer, key=key, logs=logs)


def witness_verifier_key(settings: Settings, signer: Signer) -> VerifierKey:
    """The published key under which others know us as a witness; raises SettingsError."""
    if signer.public.alg is not Algorithm.ED25519:
        raise SettingsError(f"BOL_WITNESS_KEY is {signer.public.alg}; witnesses sign with Ed25519")
    name = settings.witness_name or f"{settings.origin}/witness"
    try:
        return VerifierKey(
            name=name, type=KeyType.COSIGNATURE, public=signer.public.public_bytes_raw
        )
    except NoteError as error:
        raise SettingsError(f"BOL_WITNESS_NAME: {error}") from None


def compare(witnesses: Witnesses, store: Store, log_keys: Sequence[VerifierKey]) -> None:
    """Hold the database to what each witness cosigned last; raises RollbackSuspected."""
    for witness in witnesses.policy.witnesses:
        peer = witnesses.peers.get(witness.name)
        if peer is None:
            continue
        try:
            require_agreement(store, peer, witness, log_keys)
        except WitnessAway as error:
            log.warning("a witness was not asked at start", witness=witness.name, error=str(error))


def own_witness(witnesses: Witnesses, book: SqlWitnessing, clock: Clock) -> Witness | None:
    if witnesses.signer is None or witnesses.key is None:
        return None
    return Witness(book, clock, witnesses.signer, witnesses.key.name, witnesses.logs)


def cosigning(
    witnesses: Witnesses,
    store: Store,
    book: SqlWitnessing,
    log_keys: Sequence[VerifierKey],
    halt: Callable[[str], None],
) -> Cosigning | None:
    if not witnesses.peers:
        return None
    return Cosigning(store, book, witnesses.policy, witnesses.peers, log_keys, halt)


def _policy(setting: str, path: Path | None) -> Policy:
    if path is None:
        return Policy()
    try:
        return parse_policy(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{setting} {path}: {error.strerror}") from None
    except (PolicyError, UnicodeDecodeError) as error:
        raise SettingsError(f"{setting} {path}: {error}") from None


def _peers(settings: Settings, policy: Policy) -> dict[str, WitnessPeer]:
    addresses = {each.name: each.url for each in policy.witnesses if each.url is not None}
    secured = any(url.startswith("https:") for url in addresses.values())
    tls = _tls(settings) if secured else None
    peers: dict[str, WitnessPeer] = {}
    for name, url in addresses.items():
        try:
            peers[name] = HttpWitness(url, tls)
        except ValueError as error:
            raise SettingsError(f"BOL_WITNESSES: witness {name}: {error}") from None
    return peers


def _tls(settings: Settings) -> ssl.SSLContext:
    """To witnesses we show what we show to other platforms; they are often the same."""
    believed, own, key = (
        settings.witness_certificates,
        settings.pint_certificate,
        settings.pint_certificate_key,
    )
    try:
        return tls_context(believed, own, key, settings.passphrase)
    except OSError as error:
        raise SettingsError(
            f"BOL_WITNESS_CERTIFICATES {believed}, BOL_PINT_CERTIFICATE {own} with key {key}: one "
            f"of them cannot be used: {error}"
        ) from None


def _require_own_use(settings: Settings, signer: Signer, others: tuple[Signer, ...]) -> None:
    used = {other.public.kid for other in others} | settings.registrar_kids
    if signer.public.kid in used:
        raise SettingsError(
            f"BOL_WITNESS_KEY {signer.public.kid} signs as log, statement or registrar too; make a "
            "key of its own for it"
        )


def _require_strangers(
    settings: Settings, key: VerifierKey, policy: Policy, logs: tuple[KnownLog, ...]
) -> None:
    if any(known.key.name == settings.origin for known in logs):
        raise SettingsError(
            f"BOL_WITNESSED_LOGS names our own log {settings.origin}; only strangers are witnesses"
        )
    if any(witness.key.public == key.public for witness in policy.witnesses):
        raise SettingsError(
            f"BOL_WITNESSES names our own witness {key.name}; only strangers are witnesses"
        )
