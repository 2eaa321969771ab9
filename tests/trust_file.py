"""The trust file of a platform under test, as an object."""

from __future__ import annotations

from typing import Any

from bol_service.verification.trust import LogKey, Trust


def trust_value(trust: Trust) -> dict[str, Any]:
    """Without the keys of other platforms and carriers; `bol keys trust` adds these."""
    return {
        "origin": trust.origin,
        "code": trust.code,
        "demo": trust.demo,
        "logKeys": [_log_key(entry) for entry in trust.log_keys],
        "registrarKids": sorted(trust.registrar_kids),
        "statementKeys": [key.to_jwk() for key in trust.statement_keys],
        "witnesses": [key.vkey for key in trust.witnesses],
        "quorum": trust.quorum,
        "maxAge": trust.max_age,
    }


def _log_key(entry: LogKey) -> dict[str, Any]:
    value = {"vkey": entry.key.vkey, "fromSize": entry.from_size}
    return value if entry.to_size is None else {**value, "toSize": entry.to_size}
