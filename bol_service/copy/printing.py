"""Setting the printed copy: a bundle's bytes in, a PDF out.

1. read the bundle (`history`), make its sheet (`sheet`), draw the QR code;
2. typst sets `sheet.typ` with the fonts that came with the install and nothing else of the machine;
3. the PDF is PDF/A-3a and PDF/UA-1 (tagged), carries the bundle as an attachment, and bears the
   time of the title statement, so that the same bundle makes the same bytes.

typst refuses to write what would break either standard. It is heavy; a service calls it through
`apart`.
"""

from __future__ import annotations

import io
import json
from importlib import resources
from typing import Any, Final

import segno
import typst

from bol_service.copy.faults import NoCopy
from bol_service.copy.history import History, read_history
from bol_service.copy.ink import FONTS
from bol_service.copy.sheet import check, sheet

STANDARDS: Final[list[typst.PDFStandard]] = ["a-3a", "ua-1"]
MAX_TEXT_BYTES: Final = 3_000_000


def print_copy(content: bytes, address: str | None = None) -> bytes:
    """The copy of the bill in a bundle; `address` is printed as the place to have it verified.

    The bundle is not verified here: whoever hands out the copy vouches for where it came from.

    Raises:
        NoCopy: Of these bytes no copy can be made.
    """
    return set_copy(read_history(content), content, address)


def set_copy(history: History, content: bytes, address: str | None = None) -> bytes:
    """The copy of a bill whose bundle has been read, with that bundle attached; raises NoCopy."""
    text = json.dumps(_sheet(history, address), ensure_ascii=False, sort_keys=True)
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise NoCopy(
            f"the bill has {len(text.encode())} bytes of text, a printed copy holds at most "
            f"{MAX_TEXT_BYTES}; use the evidence file itself"
        )
    try:
        made = typst.compile(
            (resources.files("bol_service.copy") / "sheet.typ").read_bytes(),
            font_paths=typst.Fonts(
                include_system_fonts=False, font_paths=[font.parent for font in FONTS]
            ),
            ignore_system_fonts=True,
            sys_inputs={
                "sheet": text,
                "code": quick_code(history, address),
                "evidence": content.decode("utf-8"),
            },
            format="pdf",
            pdf_standards=STANDARDS,
        )
    except typst.TypstError as error:
        raise NoCopy(f"the copy cannot be set: {error.message}") from None
    return made


def _sheet(history: History, address: str | None) -> dict[str, Any]:
    try:
        return sheet(history, address)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as fault:
        # A document from abroad is read for its facts alone; its other members may be anything.
        raise NoCopy(f"the document has a form that no page has a place for: {fault}") from None


def quick_code(history: History, address: str | None) -> str:
    """The QR code as SVG: where to verify, and the bill's short checksum. It holds no secret."""
    place = address or history.statement.origin
    drawn = io.BytesIO()
    code = segno.make_qr(f"{place}#{check(history.statement.bill)}", error="m")
    code.save(drawn, kind="svg", border=2, dark="#17263c", xmldecl=False, omitsize=True)
    return drawn.getvalue().decode("ascii")
