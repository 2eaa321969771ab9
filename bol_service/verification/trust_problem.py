"""What is wrong with a trust file: which member, what was found, what is wanted, what to do.

1. The first member at fault is told, by its pointer (RFC 6901); of further ones their number.
2. What is wanted is told by the member's name. For an entry of a list it is what the list holds.
3. Objects and lists are told by their kind alone: somebody may have put a private key there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from marshmallow import ValidationError

from bol_service.wire.transport_document_problem import below, flatten, shown

T = TypeVar("T")

GET_AGAIN: Final = "Get the file again where the platform publishes it."
WRONG: Final = "Correct that member, or get the file again where the platform publishes it."
MISSING: Final = "Add that member, or get the file again where the platform publishes it."
UNKNOWN: Final = "Take that member out, or get the file again where the platform publishes it."
_NUMBER: Final = "a whole number from 0, without quotes"
_KEYS: Final = "a list of 1 to 100 keys, each with jwk and algorithms"
_INSTANT: Final = "a time like 2027-03-05T08:00:00.000Z"
WANTED: Final = {
    "origin": "the name of the platform's log as text, like cq.example/ebl",
    "code": "the platform's code as text",
    "demo": "true or false",
    "logKeys": "a list of 1 to 100 keys of the log, each with vkey and fromSize",
    "vkey": "a verifier key line as text",
    "fromSize": _NUMBER,
    "toSize": _NUMBER,
    "registrarKids": "a list of 1 to 100 key ids, each as text",
    "statementKeys": "a list of 1 to 100 public keys, each a JWK",
    "witnesses": "a list of verifier key lines, each as text",
    "quorum": _NUMBER,
    "maxAge": "a whole number of seconds from 1, without quotes",
    "peers": "a list of 1 to 100 platforms, each with platform and keys",
    "platform": "a platform code of 2 to 4 capitals and digits",
    "carriers": "a list of 1 to 1000 carriers, each with carrier and keys",
    "carrier": "SMDG: or NMFTA: with a code of 2 to 4 capitals and digits",
    "keys": _KEYS,
    "jwk": "a public key, a JWK",
    "algorithms": "a list of what the key may sign, of ES256, PS256, RS256, EdDSA and their kin",
    "notBefore": _INSTANT,
    "notAfter": _INSTANT,
}


class TrustError(ValueError):
    """The trust file cannot be used; the text names the member, `next_step` what to do."""

    def __init__(self, reason: str, next_step: str = WRONG) -> None:
        super().__init__(reason)
        self.next_step = next_step


def of_schema(value: object, error: ValidationError) -> TrustError:
    """Of the JSON value of a file and what its schema says."""
    first, *others = flatten(error.messages)
    more = f" (and {len(others)} more)" if others else ""
    above, _, name = first.pointer.rpartition("/")
    within = _found(value, above)
    if first.message == "Unknown field.":
        return TrustError(f"no trust file has a member {first.pointer}{more}", UNKNOWN)
    wanted = _wanted(first.pointer)
    if isinstance(within, dict) and name not in within:
        return TrustError(f"{first.pointer} is missing; wanted is {wanted}{more}", MISSING)
    found = _told(_found(value, first.pointer))
    return TrustError(f"{first.pointer or 'the file'} is {found}; wanted is {wanted}{more}")


def read_at(pointer: str, read: Callable[[Any], T], value: object) -> T:
    """What `read` makes of a value; the place of a TrustError if it does not take it."""
    try:
        return read(value)
    except ValueError as error:
        wanted = _wanted(pointer)
        raise TrustError(f"{pointer} is not usable: {error}; wanted is {wanted}") from None


def read_each(pointer: str, read: Callable[[Any], T], values: Iterable[Any]) -> Iterator[T]:
    return (read_at(below(pointer, at), read, value) for at, value in enumerate(values))


def _wanted(pointer: str) -> str:
    steps = pointer.split("/")
    if steps[-1].isdecimal():
        return f"what belongs into {WANTED[steps[-2]]}"
    return WANTED.get(steps[-1], "a JSON object with the members of a trust file")


def _found(value: Any, pointer: str) -> Any:
    """What stands there, None where nothing does; all above it are objects and lists."""
    for step in pointer.split("/")[1:]:
        value = value.get(step) if isinstance(value, dict) else value[int(step)]
    return value


def _told(value: object) -> str:
    match value:
        case None | bool():
            return json.dumps(value)
        case dict():
            return "an object"
        case list():
            return f"a list of {len(value)}"
        case _:
            return shown(value)
