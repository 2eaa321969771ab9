"""Kinds of values on the command line, checked as the platform checks them before anything is sent.

Each function is the `type` of options and arguments: it takes what was typed and returns the value,
or tells as wrong use (exit 2) what is wrong with it. Times are written in ISO 8601; where a command
has no `--utc-offset` they must name their zone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NoReturn

import click

from bol_service.domain import identifiers


def slug(text: str) -> str:
    return _checked(identifiers.check_slug, text)


def party_name(text: str) -> str:
    """A slug, or `CODE:slug` for a party of another platform."""
    code, colon, own = text.rpartition(":")
    if colon and not re.fullmatch(r"[A-Z0-9]{2,4}", code):
        _refuse(f"{code!r} is not a platform code of 2 to 4 capitals and digits")
    _checked(identifiers.check_slug, own)
    return text


def container(text: str) -> str:
    return _checked(identifiers.check_container, text)


def unlocode(text: str) -> str:
    return _checked(identifiers.check_unlocode, text)


def uuid(text: str) -> str:
    return _checked(identifiers.check_shipment, text)


def origin(text: str) -> str:
    return _checked(identifiers.check_origin, text)


def sha256(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        _refuse(f"{text!r} is not a SHA-256 of 64 lower-case hexadecimal digits")
    return text


def kid(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", text):
        _refuse(f"{text!r} is not a key id of 43 characters; see: bol party show")
    return text


def day(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        _refuse(f"{text!r} is not a date like 2027-03-05")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        _refuse(f"{text!r} is not a date: {error}")


def time(text: str) -> datetime:
    """Naive if it names no zone."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        _refuse(f"{text!r} is not a time like 2027-03-05T16:00:00+08:00")


def instant(text: str) -> datetime:
    """A time with its zone, as UTC."""
    moment = time(text)
    if moment.tzinfo is None:
        _refuse(f"{text!r} names no zone; add Z or an offset like +08:00")
    return moment.astimezone(UTC)


def offset(text: str) -> timezone:
    """An offset from UTC, from -14:00 to +14:59."""
    found = re.fullmatch(r"([+-])([0-9]{2}):([0-9]{2})", text)
    if found is None or int(found[2]) > 14 or int(found[3]) > 59:
        _refuse(f"{text!r} is not an offset like +08:00")
    size = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(size if found[1] == "+" else -size)


def file_bytes(path: str) -> bytes:
    """The content of a file, of stdin for `-`."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        _refuse(f"{path} cannot be opened: {error.strerror}")


def json_file(path: str) -> dict[str, Any]:
    """The JSON object in a file, or on stdin for `-`."""
    found = _json(path)
    if not isinstance(found, dict):
        _refuse(f"{path} holds a JSON {type(found).__name__}, an object is needed")
    return found


def key_proof_file(path: str) -> dict[str, Any]:
    """What `bol keys proof` printed."""
    found = json_file(path)
    if found.keys() != {"key", "keyProof"}:
        _refuse(
            f"{path} has the members {sorted(found)}, a key proof has key and keyProof; make one "
            "with: bol keys proof"
        )
    return found


def json_list_file(path: str) -> list[Any]:
    """The JSON array in a file, or on stdin for `-`."""
    found = _json(path)
    if not isinstance(found, list):
        _refuse(f"{path} holds a JSON {type(found).__name__}, an array is needed")
    return found


def _json(path: str) -> Any:
    try:
        return json.loads(file_bytes(path))
    except ValueError as error:
        _refuse(f"{path} is not JSON: {error}")


def _checked(check: Callable[[str], object], text: str) -> str:
    try:
        check(text)
    except ValueError as error:
        _refuse(str(error))
    return text


def _refuse(message: str) -> NoReturn:
    raise click.BadParameter(message)
