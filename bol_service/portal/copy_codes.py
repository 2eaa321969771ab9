"""The code of a printed copy: an address, and the first 16 digits of a bill's id.

It holds no secret and proves nothing: anybody can print one. It serves to see that a print and a
file are of one bill. So:

1. whoever has both is told whether they are (`Code.fits`);
2. a party that has logged in is led to the bill, if it may know it;
3. nobody else is told whether there is such a bill at all; it is not even looked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from bol_service.application.portal_lists import PortalLists
from bol_service.copy.sheet import check

MAX_SIGNS: Final = 300
_WRITTEN: Final = re.compile(
    r"(?:(?P<place>[^#\s]+)#)?(?P<digits>[0-9a-f]{4}(?:[- ]?[0-9a-f]{4}){3})", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Code:
    """`place` is where the print says that it can be verified; None if that was not given."""

    digits: str
    place: str | None

    @property
    def shown(self) -> str:
        """As it stands on the print: four groups of four digits."""
        return check(self.digits)

    def fits(self, bill: str) -> bool:
        """Whether a bill with this id is the one that the print is of."""
        return bill.startswith(self.digits)


def read_code(typed: str) -> Code | None:
    """The code that somebody typed or scanned; None if it is none."""
    found = _WRITTEN.fullmatch(typed.strip()[: MAX_SIGNS + 1])
    if found is None:
        return None
    return Code(digits=re.sub("[- ]", "", found["digits"]).lower(), place=found["place"])


def known_bill(lists: PortalLists, reader: str | None, code: Code) -> str | None:
    """The bill with this code among those that the reader may know."""
    if reader is None:
        return None
    return lists.bill_beginning(reader, code.digits)
