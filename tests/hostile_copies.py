"""PDF files that are no printed copy, and copies that somebody has saved again.

What each engine says to them: tests/copies/test_copy_reading.py and tests/verifier/test_copies.py.
"""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from typing import Final

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from bol_service.copy.printing import print_copy
from bol_service.copy.reading import MAX_ATTACHMENTS
from bol_service.verification.bundle import MAX_BUNDLE_BYTES
from tests.voyage_evidence import Evidence


def with_attachments(*files: tuple[str, bytes]) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    for name, content in files:
        writer.add_attachment(name, content)
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


# -- written by hand ------------------------------------------------------------------------------

_CATALOG = b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles %s>>>>"
_NAMES = b"<</Names[(x.ebl.json) 3 0 R]>>"
_PAGES = b"<</Type/Pages/Kids[]/Count 0>>"
_FILE = b"<</Type/Filespec/F(x.ebl.json)/EF<</F 4 0 R>>>>"


def _stream(content: bytes, members: bytes = b"/Filter/FlateDecode") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (members, len(content), content)


def _with_table(objects: dict[int, bytes], before: bytes = b"", trailer: bytes = b"") -> bytes:
    """A file, or more of the file `before`, with its objects, their table and a trailer."""
    body, places = before or b"%PDF-1.7\n", {}
    for number, content in objects.items():
        places[number] = len(body)
        body += b"%d 0 obj%s endobj\n" % (number, content)
    rows = b"".join(b"%d 1\n%010d 00000 n \n" % (number, at) for number, at in places.items())
    ending = b"trailer<</Size 9/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer, len(body))
    return body + b"xref\n0 1\n0000000000 65535 f \n" + rows + ending


def _plain(attached: bytes, tree: bytes = _NAMES, **more: bytes) -> bytes:
    numbered = {int(name[1:]): content for name, content in more.items()}
    objects = {1: _CATALOG % tree, 2: _PAGES, 3: _FILE, 4: attached}
    return _with_table(objects | numbered)


def packed(bundle: bytes) -> bytes:
    """A small PDF with a large attachment."""
    return _plain(_stream(zlib.compress(bundle)))


def _in_streams(bundle: bytes) -> bytes:
    """All objects but one in a stream, and the table in another, packed by rows like a picture."""
    inside = {1: _CATALOG % _NAMES, 2: _PAGES, 3: _FILE}
    first, text = b"", b""
    for number, content in inside.items():
        first += b"%d %d " % (number, len(text))
        text += content + b" "
    members = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(inside), len(first))
    objects = {4: _stream(zlib.compress(bundle)), 5: _stream(zlib.compress(first + text), members)}
    body, rows = b"%PDF-1.7\n", {number: (2, 5, at) for at, number in enumerate(inside)}
    for number, content in objects.items():
        rows[number] = (1, len(body), 0)
        body += b"%d 0 obj%s endobj\n" % (number, content)
    rows |= {0: (0, 0, 255), 6: (1, len(body), 0)}
    table = _differences([bytes([a, *b.to_bytes(3), c]) for _, (a, b, c) in sorted(rows.items())])
    members = (
        b"/Type/XRef/Size 7/W[1 3 1]/Root 1 0 R/Filter/FlateDecode"
        b"/DecodeParms<</Predictor 12/Columns 5>>"
    )
    # No table knows of this one; whoever does not follow the table takes it for the newest.
    other = b"4 0 obj%s endobj\n" % _stream(zlib.compress(b"{}"))
    ending = b"startxref\n%d\n%%%%EOF\n" % len(body)
    return body + b"6 0 obj%s endobj\n" % _stream(zlib.compress(table), members) + other + ending


def _differences(rows: list[bytes]) -> bytes:
    """Each row as what differs from the one above it."""
    above = [bytes(len(rows[0])), *rows]
    pairs = zip(above, rows, strict=False)
    return b"".join(
        b"\2" + bytes((byte - before) % 256 for before, byte in zip(*pair, strict=True))
        for pair in pairs
    )


# -- hostile --------------------------------------------------------------------------------------


def encrypted(evidence: Evidence) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(print_copy(evidence.living))))
    writer.encrypt("secret", algorithm="RC4-128")
    return written(writer)


def endless_names() -> bytes:
    """A name tree that is its own child."""
    writer = PdfWriter()
    writer.add_blank_page(10, 10)
    node = DictionaryObject()
    reference = writer._add_object(node)
    node[NameObject("/Kids")] = ArrayObject([reference, reference])
    names = DictionaryObject({NameObject("/EmbeddedFiles"): reference})
    writer.root_object[NameObject("/Names")] = names
    return written(writer)


def bomb() -> bytes:
    """More than a hundred megabytes in one tenth of one, as an attachment."""
    packed = zlib.compress(b" " * 120_000_000, 9)
    body = (
        b"%%PDF-1.7\n"
        b"1 0 obj<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names"
        b"[(x.ebl.json) 3 0 R]>>>>>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"3 0 obj<</Type/Filespec/F(x.ebl.json)/UF(x.ebl.json)/EF<</F 4 0 R>>>>endobj\n"
        b"4 0 obj<</Type/EmbeddedFile/Filter/FlateDecode/Length %d>>stream\n" % len(packed)
    )
    return body + packed + b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


def nested() -> bytes:
    return b"%PDF-1.7\n1 0 obj" + b"[" * 200_000 + b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


HOSTILE: Final[dict[str, Callable[[Evidence], bytes]]] = {
    "nothing but a header": lambda _: b"%PDF-1.7\n",
    "noise": lambda _: b"%PDF-1.7\n" + os.urandom(50_000),
    "a copy cut in the middle": lambda evidence: print_copy(evidence.living)[:90_000],
    "no attachment": lambda _: with_attachments(),
    "an attachment of another name": lambda _: with_attachments(("invoice.json", b"{}")),
    "two bundles": lambda evidence: with_attachments(
        ("a.ebl.json", evidence.living), ("b.ebl.json", evidence.ended)
    ),
    "a bundle under two equal names": lambda evidence: with_attachments(
        ("a.ebl.json", evidence.living), ("a.ebl.json", evidence.ended)
    ),
    "more attachments than anybody needs": lambda evidence: with_attachments(
        *((f"{number}.txt", b"x") for number in range(MAX_ATTACHMENTS)),
        ("a.ebl.json", evidence.living),
    ),
    "a password": encrypted,
    "a name tree without end": lambda _: endless_names(),
    "a decompression bomb": lambda _: bomb(),
    "arrays nested without end": lambda _: nested(),
    "an attachment that is a number": lambda _: _plain(b" 42"),
    "references in a circle": lambda _: _with_table({1: b" 2 0 R", 2: b" 1 0 R"}),
    "a length that is its own": lambda _: _plain(b"<</Length 4 0 R>>stream\n{}\nendstream"),
    "more bytes than are read": lambda _: b"%PDF-1.7\n" + b"\0" * MAX_BUNDLE_BYTES,
}


# -- saved again ----------------------------------------------------------------------------------


def _saved_by_pypdf(evidence: Evidence) -> bytes:
    return written(PdfWriter(clone_from=PdfReader(io.BytesIO(print_copy(evidence.living)))))


def _with_changes(bundle: bytes) -> bytes:
    """First with another bundle, which a later part of the file replaces."""
    first = _plain(_stream(zlib.compress(b"{}")))
    at = b"/Prev %d" % first.index(b"xref\n0 1")
    return _with_table({4: _stream(zlib.compress(bundle))}, before=first, trailer=at)


RESAVED: Final[dict[str, Callable[[Evidence], bytes]]] = {
    "saved by another program": _saved_by_pypdf,
    "not packed": lambda evidence: _plain(_stream(evidence.living, b"")),
    "packed twice": lambda evidence: _plain(
        _stream(
            zlib.compress(evidence.living).hex().encode() + b">",
            b"/Filter[/ASCIIHexDecode/FlateDecode]",
        )
    ),
    "objects and table in streams": lambda evidence: _in_streams(evidence.living),
    "changed and saved": lambda evidence: _with_changes(evidence.living),
    "names in a tree": lambda evidence: _plain(
        _stream(zlib.compress(evidence.living)), b"<</Kids[5 0 R]>>", n5=_NAMES
    ),
    "a name in UTF-16": lambda evidence: _plain(
        _stream(zlib.compress(evidence.living)),
        b"<</Names[<FEFF%s> 3 0 R]>>" % "提单.ebl.json".encode("utf-16-be").hex().encode(),
    ),
    "a line feed behind what is packed": lambda evidence: _plain(
        _stream(zlib.compress(evidence.living) + b"\r\n")
    ),
    "too short a length": lambda evidence: _plain(
        _stream(zlib.compress(evidence.living)).replace(b"/Length ", b"/Length 99/Was ")
    ),
    "too long a length": lambda evidence: _plain(
        _stream(zlib.compress(evidence.living)).replace(b"/Length ", b"/Length 9")
    ),
    "a table that leads nowhere": lambda evidence: _plain(
        _stream(zlib.compress(evidence.living))
    ).replace(b"startxref\n", b"startxref\n9"),
}
