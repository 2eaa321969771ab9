"""Parties that a person could take for each other, since their names look alike.

The law tells parties apart by slug and legal identifier; a clerk reads a name. Whoever is
registered under the name of another with a letter of another script, or with a sign that nobody
sees, must not get a bill by that. Nothing is refused here: two companies may have nearly the same
name. It is said.

1. The look of a name: compatibility forms made plain (NFKC), case and accents gone, letters of
   Cyrillic and Greek as the Latin ones that they resemble, `0 1 5` as `o l s`, `rn` as `m`, `vv` as
   `w`, and of the rest only letters and digits.
2. Names look alike whose looks are the same, or differ in one sign and have at least eight
   (four, of Chinese ones).
3. A party's names are its slug, its legal name and its legal name in its own script; each is
   compared with each of the other's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final, Protocol, TypeVar

from bol_service.domain.events import Identity

_LONG: Final = 8
_LONG_CHINESE: Final = 4
# Letters that are drawn alike, after case folding: Cyrillic, Greek, dotless i; digits for letters.
_RESEMBLING: Final = str.maketrans(
    "асдеһіјӏкмнорԛгѕтуѵԝхαβγεικνορτυχωı01|5",
    "acdehijlkmhopqrstyvwxabyeiknoptuxwiolls",
)
_FILLERS: Final = "\u115f\u1160"  # letters by their class, and drawn as nothing
_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"))


class Known(Protocol):
    """A registered party, as far as its looks go."""

    @property
    def slug(self) -> str: ...

    @property
    def identity(self) -> Identity: ...


K = TypeVar("K", bound=Known)


def look(name: str) -> str:
    """What is left of a name for an eye that does not look twice."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(
        sign for sign in plain.translate(_RESEMBLING) if sign.isalnum() and sign not in _FILLERS
    )
    seen = seen.replace("i", "l")
    for two, one in _PAIRS:
        seen = seen.replace(two, one)
    return seen


def alike(one: str, other: str) -> bool:
    """Whether two names could be taken for each other."""
    return _look_alike(look(one), look(other))


def resembling(slug: str, identity: Identity, parties: Iterable[K]) -> list[K]:
    """Those of `parties`, but for itself, that it could be taken for."""
    own = _looks(slug, identity)
    return [
        party
        for party in parties
        if party.slug != slug
        and any(_look_alike(a, b) for a in own for b in _looks(party.slug, party.identity))
    ]


def _looks(slug: str, identity: Identity) -> set[str]:
    names = (slug, identity.legal_name, identity.legal_name_local)
    return {look(name) for name in names if name}


def _look_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    shortest = min(len(one), len(other))
    long_enough = _LONG if (one + other).isascii() else _LONG_CHINESE
    return shortest >= long_enough and _one_apart(one, other)


def _one_apart(one: str, other: str) -> bool:
    """One sign is another one, more, or missing."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((i for i, sign in enumerate(short) if sign != long[i]), len(short))
    if len(short) == len(long):
        return short[at + 1 :] == long[at + 1 :]
    return short[at:] == long[at + 1 :]
