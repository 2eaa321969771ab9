"""Taking the evidence bundle out of a printed copy.

A PDF can come from anybody. Nothing in it is trusted, drawn or followed:

1. at most `MAX_PDF_BYTES` are looked at, encrypted files are not opened;
2. among the first `MAX_ATTACHMENTS` attachments exactly one is named `*.ebl.json`; of two, nobody
   could say which one the page was made from;
3. it has at most the given number of bytes, however well it was packed.

What the pages say is not read at all. Whatever else the parser meets is told as `NoEvidence`; time
and memory are bounded by `apart`, in whose process this runs.
"""

from __future__ import annotations

import io
import logging
from itertools import islice
from typing import Final

from pypdf import PdfReader
from pypdf.generic import EmbeddedFile

from bol_service.copy.faults import NoEvidence

SUFFIX: Final = ".ebl.json"
MAX_PDF_BYTES: Final = 20_000_000
MAX_ATTACHMENTS: Final = 20


def attached_bundle(pdf: bytes, limit: int) -> bytes:
    """The bytes of the one bundle attached to `pdf`, not verified; at most `limit` of them.

    Raises:
        NoEvidence: There is none, more than one, or the file cannot be read.
    """
    if len(pdf) > MAX_PDF_BYTES:
        raise NoEvidence(f"the PDF has {len(pdf)} bytes, at most {MAX_PDF_BYTES} are read")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        content = _only_bundle(pdf).content
    except NoEvidence:
        raise
    except (Exception, RecursionError, MemoryError) as fault:  # a parser and a hostile file
        raise NoEvidence(f"the PDF cannot be read ({type(fault).__name__})") from None
    if len(content) > limit:
        raise NoEvidence(f"the attached bundle has {len(content)} bytes, at most {limit} are read")
    return content


def _only_bundle(pdf: bytes) -> EmbeddedFile:
    reader = PdfReader(io.BytesIO(pdf), strict=False)
    if reader.is_encrypted:
        raise NoEvidence("the PDF is encrypted; save it without a password and try again")
    attached = list(islice(reader.attachment_list, MAX_ATTACHMENTS + 1))
    if len(attached) > MAX_ATTACHMENTS:
        raise NoEvidence(f"the PDF has more than {MAX_ATTACHMENTS} attachments")
    bundles = [file for file in attached if file.name.endswith(SUFFIX)]
    if len(bundles) != 1:
        raise NoEvidence(
            f"{len(bundles)} of {len(attached)} attachments are named *{SUFFIX}, a printed copy "
            "has exactly one; ask for the copy as the platform made it, or for the evidence file"
        )
    return bundles[0]
