"""A platform's own keys as a trust file, for a reader who has no other one yet.

Keys of other platforms and carriers are left out: a verifier takes those that a trust file names
for all that there ever were, and a running platform knows those of today only.
"""

from __future__ import annotations

from typing import Any

from bol_service.crypto import strictjson
from bol_service.verification.trust import LogKey, Trust


def write_trust(trust: Trust) -> bytes:
    """RFC 8785, with a line feed behind it; the same keys make the same bytes."""
    value = {
        "code": trust.code,
        "demo": trust.demo,
        "logKeys": [_log_key(entry) for entry in trust.log_keys],
        "maxAge": trust.max_age,
        "origin": trust.origin,
        "quorum": trust.quorum,
        "registrarKids": sorted(trust.registrar_kids),
        "statementKeys": [key.to_jwk() for key in trust.statement_keys],
        "witnesses": [key.vkey for key in trust.witnesses],
    }
    return strictjson.canonical(value) + b"\n"


def _log_key(entry: LogKey) -> dict[str, Any]:
    value = {"vkey": entry.key.vkey, "fromSize": entry.from_size}
    return value if entry.to_size is None else {**value, "toSize": entry.to_size}
