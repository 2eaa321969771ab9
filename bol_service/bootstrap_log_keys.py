"""The log's keys over its whole life: the one that signs now, and those it has retired.

BOL_RETIRED_LOG_KEYS names a file with a line for each retired key, the oldest first:

    <vkey> <size of the last checkpoint that it signed>

Each key counts for the sizes after its predecessor's last one up to its own; trust files say the
same (`logKeys`). `#` begins a comment.
"""

from __future__ import annotations

import re
from pathlib import Path

from bol_service.ledger.note import KeyType, NoteError, VerifierKey, parse_vkey
from bol_service.settings import SettingsError
from bol_service.verification.trust import LogKey

_LINE = re.compile(r"(\S+) (0|[1-9][0-9]{0,15})")


def log_keys(current: VerifierKey, retired: Path | None) -> tuple[LogKey, ...]:
    """All keys of the log, the oldest first, `current` last; raises SettingsError."""
    found: list[LogKey] = []
    for number, text in _lines(retired):
        try:
            found.append(_retired(text, current, found))
        except ValueError as error:
            raise SettingsError(f"BOL_RETIRED_LOG_KEYS, line {number}: {error}") from None
    return (*found, LogKey(key=current, from_size=_next_size(found), to_size=None))


def _lines(path: Path | None) -> list[tuple[int, str]]:
    if path is None:
        return []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"BOL_RETIRED_LOG_KEYS {path} cannot be read: {error}") from None
    told = ((number, line.partition("#")[0].strip()) for number, line in enumerate(lines, 1))
    return [(number, line) for number, line in told if line]


def _retired(text: str, current: VerifierKey, before: list[LogKey]) -> LogKey:
    line = _LINE.fullmatch(text)
    if line is None:
        raise ValueError(f"{text!r} is not a vkey, a blank and a size")
    try:
        key = parse_vkey(line[1])
    except NoteError as error:
        raise ValueError(str(error)) from None
    if (key.name, key.type) != (current.name, KeyType.ED25519):
        raise ValueError(f"{key.name} (type {key.type:d}) is no key of the log {current.name}")
    if key.public in (current.public, *(known.key.public for known in before)):
        raise ValueError(f"{key.vkey} is retired twice, or signs now; a retired key never returns")
    first, last = _next_size(before), int(line[2])
    if last < first:
        raise ValueError(f"its last size {last} is below {first}, where it began")
    return LogKey(key=key, from_size=first, to_size=last)


def _next_size(before: list[LogKey]) -> int:
    return 0 if not before else (before[-1].to_size or 0) + 1
