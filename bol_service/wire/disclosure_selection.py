"""Which pieces of a document somebody wants to disclose, by the words that people use for them.

A word is a purpose (`customs`, `terminal`: the classes of `classification.PURPOSES`), a name from
`NAMES`, or a JSON pointer into the document, which takes all pieces at or below it. Purposes take
no price. Neither purposes nor names take personal data or what is not classified, wherever it
stands: a shipper without its clerk's telephone. Who wants to show that has to point at it.
"""

from __future__ import annotations

import re
from typing import Final

from bol_service.domain.classification import PURPOSES, FieldClass
from bol_service.wire.disclosure import Disclosed, Presentation
from bol_service.wire.field_classes import is_at_or_below

NAMES: Final[dict[str, str]] = {
    "goods": r"/consignmentItems/[0-9]+/(descriptionOfGoods|shippingMarks)"
    r"|/consignmentItems/[0-9]+/cargoItems/[0-9]+/outerPackaging",
    "hs": r"/consignmentItems/[0-9]+/(HSCodes|extendedHSCodes)",
    "weights": r"/consignmentItems/[0-9]+/cargoItems/[0-9]+"
    r"/(cargoGrossWeight|cargoGrossVolume|cargoNetWeight|cargoNetVolume)",
    "containers": r"/utilizedTransportEquipments/[0-9]+/equipment"
    r"|/consignmentItems/[0-9]+/cargoItems/[0-9]+/equipmentReference",
    "seals": r"/utilizedTransportEquipments/[0-9]+/seals",
    "price": r"/(charges|declaredValue|declaredValueCurrency|freightPaymentTermCode"
    r"|invoicePayableAt)",
    "routing": r"/(transports|displayedNameFor[A-Za-z]+|placeOfIssue)",
    "shipper": r"/documentParties/shipper",
    "consignee": r"/documentParties/consignee",
    "endorsee": r"/documentParties/endorsee",
    "notify": r"/documentParties/notifyParties",
}
_NAMED: Final = {name: re.compile(rf"({form})(/.*)?", re.DOTALL) for name, form in NAMES.items()}

_ASKED_FOR: Final = (FieldClass.PERSONAL, FieldClass.UNCLASSIFIED)


class UnknownWord(ValueError):  # noqa: N818 - named by what it is
    """Neither purpose, nor name, nor pointer to a piece of the document; the message says which."""


def select(full: Presentation, words: list[str]) -> Presentation:
    """The pieces of a full file that any of the words names.

    Raises:
        UnknownWord: A word means nothing, or nothing in this document.
        BadDisclosure: The pieces make no document; the file is not full.
    """
    classed = full.with_classes()
    chosen: set[str] = set()
    for word in words:
        found = {piece.pointer for piece, kind in classed if _means(word, piece, kind)}
        if not found:
            raise UnknownWord(
                f"{word!r} names nothing that this file can disclose; give "
                f"{', '.join((*PURPOSES, *NAMES))} or a JSON pointer such as /consignmentItems/0"
            )
        chosen |= found
    return full.only(lambda piece: piece.pointer in chosen)


def _means(word: str, piece: Disclosed, kind: FieldClass) -> bool:
    if word in PURPOSES:
        return kind in PURPOSES[word]
    if word in _NAMED:
        return kind not in _ASKED_FOR and _NAMED[word].fullmatch(piece.pointer) is not None
    return word.startswith("/") and is_at_or_below(piece.pointer, word)
