"""The trust file that the portal hands out: the one that the operator publishes, or one of today.

1. With BOL_TRUST_FILE it is that file to the byte. It has to be a trust file of this ledger, and to
   name each key that we sign with now: a reader would call our evidence forged otherwise.
2. Without it, the file is made of the keys that this process knows. It lacks statement keys of
   earlier days, the witnesses that readers should ask for, and the keys of other platforms.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bol_service.settings import Settings, SettingsError
from bol_service.verification.trust import Trust, read_trust
from bol_service.verification.trust_problem import TrustError
from bol_service.verification.trust_writing import write_trust


@dataclass(frozen=True, kw_only=True)
class TrustFile:
    """`read` is what a verifier makes of `content`; `published`: the operator chose it."""

    content: bytes
    read: Trust
    published: bool


def trust_file_of(settings: Settings, own: Trust) -> TrustFile:
    """`own` are our keys of today; raises SettingsError."""
    if settings.trust_file is None:
        return TrustFile(content=write_trust(own), read=own, published=False)
    content = _content(settings.trust_file)
    try:
        found = read_trust(content)
    except TrustError as error:
        raise SettingsError(
            f"BOL_TRUST_FILE {settings.trust_file} is no trust file: {error}. {error.next_step}"
        ) from None
    _require_own(settings.trust_file, found, own)
    return TrustFile(content=content, read=found, published=True)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"BOL_TRUST_FILE {path}: {error.strerror}") from None


def _require_own(path: Path, found: Trust, own: Trust) -> None:
    if (found.origin, found.code) != (own.origin, own.code):
        raise SettingsError(
            f"BOL_TRUST_FILE {path} is of {found.code} at {found.origin}, this platform is "
            f"{own.code} at {own.origin}; name its own file"
        )
    missing = [
        f"statement key {key.kid}"
        for key in own.statement_keys
        if key.kid not in {known.kid for known in found.statement_keys}
    ]
    vkeys = {known.key.vkey for known in found.log_keys}
    missing += [
        f"log key {entry.key.vkey}" for entry in own.log_keys if entry.key.vkey not in vkeys
    ]
    missing += [f"registrar kid {kid}" for kid in sorted(own.registrar_kids - found.registrar_kids)]
    if missing:
        raise SettingsError(
            f"BOL_TRUST_FILE {path} does not name {', '.join(missing)}; add it and publish the "
            "file before this platform signs with it"
        )
