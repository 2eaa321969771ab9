"""The answers of a draft as an Excel sheet: written for people to fill in, read with suspicion.

1. Three sheets. `Bill` has one question a row: its code in column A, its words in B, the answer in
   C. `Goods` and `Containers` have codes in row 1, words in row 2 and one line a row from row 3.
   The sheet `Read me` tells so, with every code.
2. A file is opened only if it is a small archive that unpacks to a small one, declares no document
   types (by which XML grows without end), and holds no macros.
3. A formula is refused with its cell: what it shows depends on who opens the file.
4. What is written is text and never a formula, whatever it begins with.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from bol_service.portal.document_form import MAX_LINES
from bol_service.portal.document_questions import (
    OF_BOX,
    OF_DOCUMENT,
    OF_GOODS,
    OF_PARTY,
    ROLES,
    Kind,
    Question,
)
from bol_service.portal.forms import Given

MAX_FILE: Final = 1_000_000
MAX_UNPACKED: Final = 2_000_000
"""Bytes. The reader takes up to a second for each million, in which nobody else is answered."""
MAX_PARTS: Final = 60
MAX_ROWS: Final = 200
MAX_COLUMNS: Final = 20
MAX_TEXT: Final = 50_000
BILL, GOODS, BOXES, README = "Bill", "Goods", "Containers", "Read me"
_FIRST_LINE: Final = 3
_LISTS: Final = ((GOODS, "goods", OF_GOODS), (BOXES, "box", OF_BOX))
_UNPRINTABLE: Final = re.compile("[\x00-\x08\x0b-\x1f]")
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
Words = Callable[[str], str]


class SheetError(Exception):
    """The file cannot be read. `key` is of the words `sheet.`; `cell` where, if at one place."""

    def __init__(self, key: str, cell: str = "", detail: str = "") -> None:
        super().__init__(f"{key} {cell} {detail}".strip())
        self.key = key
        self.cell = cell
        self.detail = detail


@dataclass(frozen=True, kw_only=True)
class Row:
    """One question of the sheet `Bill`: its code is the form's field."""

    code: str
    words: str
    question: Question


def rows() -> Iterator[Row]:
    """The questions of the sheet `Bill`, in its order."""
    for questions in OF_DOCUMENT.values():
        for one in questions:
            yield Row(code=one.name, words=f"draft.{one.name}", question=one)
    for role in ROLES:
        for one in OF_PARTY:
            yield Row(code=f"{role}-{one.name}", words=f"draft.party.{one.name}", question=one)


# -- reading -------------------------------------------------------------------------------------


def read(content: bytes) -> Given:
    """The answers in an Excel file; raises SheetError."""
    _check_archive(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
    except Exception as error:  # a hostile file fails anywhere inside the reader
        raise SheetError("unreadable", detail=type(error).__name__) from None
    try:
        return _answers(book)
    except SheetError:
        raise
    except Exception as error:
        raise SheetError("unreadable", detail=type(error).__name__) from None
    finally:
        book.close()


_UNREADABLE: Final = (
    *(zipfile.BadZipFile, OSError, EOFError, zlib.error, lzma.LZMAError),
    NotImplementedError,  # zipfile: packed in a way that it does not know
    RuntimeError,  # zipfile: encrypted
)


def _check_archive(content: bytes) -> None:
    if len(content) > MAX_FILE:
        raise SheetError("too_large", detail=f"{len(content)} > {MAX_FILE}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            # Python's reader stops at the size that the directory states, so this sum is a bound.
            unpacked = sum(part.file_size for part in parts)
            if len(parts) > MAX_PARTS or unpacked > MAX_UNPACKED:
                raise SheetError("too_large", detail=f"{unpacked} > {MAX_UNPACKED}")
            if any("vbaProject" in part.filename for part in parts):
                raise SheetError("macros")
            for part in parts:
                _check_part(archive.read(part))
    except _UNREADABLE:
        raise SheetError("no_sheet") from None
    except ValueError:
        raise SheetError("no_sheet") from None


def _check_part(part: bytes) -> None:
    if b"<!DOCTYPE" in part or b"<!ENTITY" in part or part[:2] in _WIDE:
        raise SheetError("declares")


def _answers(book: Any) -> Given:
    if BILL not in book.sheetnames:
        raise SheetError("no_bill", detail=", ".join(book.sheetnames)[:100])
    known = {row.code: row.question for row in rows()}
    given = Given()
    for number, cells in _table(book[BILL]):
        code = _text(cells[0], BILL).strip() if cells else ""
        if code in known and len(cells) > 2:
            _keep(given, code, _text(cells[2], BILL, known[code]))
        elif code and number > 1:
            raise SheetError("unknown", f"{BILL}!A{number}", code[:40])
    for sheet, prefix, questions in _LISTS:
        if sheet in book.sheetnames:
            _lines(given, book[sheet], sheet, prefix, {one.name: one for one in questions})
    return given


def _lines(
    given: Given, table: Any, sheet: str, prefix: str, questions: dict[str, Question]
) -> None:
    codes: list[str] = []
    for number, cells in _table(table):
        if number == 1:
            codes = [_text(cell, sheet).strip() for cell in cells]
            unknown = [code for code in codes if code and code not in questions]
            if unknown:
                raise SheetError("unknown", f"{sheet}!1", unknown[0][:40])
        if number < _FIRST_LINE:
            continue
        line = number - _FIRST_LINE
        for code, cell in zip(codes, cells, strict=False):
            text = _text(cell, sheet, questions[code]) if code else ""
            if text and line >= MAX_LINES:
                raise SheetError("too_many", f"{sheet}!{number}", str(MAX_LINES))
            _keep(given, f"{prefix}-{line}-{code}", text)


def _table(sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    sheet.reset_dimensions()  # what a file says of its own size is not believed
    found = sheet.iter_rows(max_row=MAX_ROWS + 1, max_col=MAX_COLUMNS)
    for number, cells in enumerate(found, 1):
        if number > MAX_ROWS:
            raise SheetError("too_many", f"{sheet.title}!{number}", str(MAX_ROWS))
        yield number, cells


def _keep(given: Given, code: str, text: str) -> None:
    if text:
        given[code] = text


def _text(cell: Any, sheet: str, question: Question | None = None) -> str:
    value = cell.value
    if value is None:
        return ""
    where = f"{sheet}!{getattr(cell, 'coordinate', '')}"
    if cell.data_type == "f":
        raise SheetError("formula", where, str(value)[:40])
    if cell.data_type == "e":
        raise SheetError("broken_cell", where, str(value)[:40])
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = str(value)
    if len(text) > MAX_TEXT:
        raise SheetError("long", where, str(MAX_TEXT))
    return text.strip() if question is None or question.kind is not Kind.LINES else text


# -- writing -------------------------------------------------------------------------------------


def write(given: Given, t: Words) -> bytes:
    """An Excel file with these answers, its words from `t`."""
    book = Workbook()
    bill: Worksheet = book.active  # type: ignore[assignment]  # a new workbook has a sheet
    bill.title = BILL
    _row(bill, 1, ["code", t("sheet.question"), t("sheet.answer")], bold=True)
    for number, row in enumerate(rows(), 2):
        role = row.code.partition("-")[0] if "-" in row.code else ""
        words = f"{t(f'draft.role.{role}')}: {t(row.words)}" if role else t(row.words)
        _row(bill, number, [row.code, words, given.get(row.code, "")])
    _widths(bill, (24, 44, 60))
    for sheet, prefix, questions in _LISTS:
        _write_lines(book.create_sheet(sheet), given, prefix, questions, t)
    _read_me(book.create_sheet(README), t)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _write_lines(
    table: Worksheet, given: Given, prefix: str, questions: tuple[Question, ...], t: Words
) -> None:
    _row(table, 1, [one.name for one in questions], bold=True)
    _row(table, 2, [t(f"draft.{prefix}.{one.name}") for one in questions])
    for line in range(MAX_LINES):
        answers = [given.get(f"{prefix}-{line}-{one.name}", "") for one in questions]
        if any(answers):
            _row(table, _FIRST_LINE + line, answers)
    _widths(table, tuple(22 for _ in questions))


def _read_me(table: Worksheet, t: Words) -> None:
    lines = [t(f"sheet.readme.{number}") for number in ("one", "two", "three", "four")]
    for number, line in enumerate(lines, 1):
        _row(table, number, [line])
    number = len(lines) + 2
    _row(table, number, ["code", t("sheet.question"), t("sheet.form")], bold=True)
    for row in rows():
        number += 1
        _row(table, number, [row.code, t(row.words), _form(row.question, t)])
    for sheet, prefix, questions in _LISTS:
        for one in questions:
            number += 1
            words = t(f"draft.{prefix}.{one.name}")
            _row(table, number, [f"{sheet}: {one.name}", words, _form(one, t)])
    _widths(table, (28, 44, 60))


def _form(question: Question, t: Words) -> str:
    if question.choices:
        return ", ".join(question.choices)
    return t(f"sheet.kind.{question.kind}")


def _row(table: Worksheet, number: int, texts: list[str], *, bold: bool = False) -> None:
    for column, text in enumerate(texts, 1):
        cell = table.cell(row=number, column=column)
        plain = _UNPRINTABLE.sub(" ", text)
        cell.value = plain or None
        if plain:
            cell.data_type = "s"  # an answer that begins with = stays an answer
        if bold:
            cell.font = Font(bold=True)


def _widths(table: Worksheet, widths: tuple[int, ...]) -> None:
    for number, width in enumerate(widths):
        table.column_dimensions["ABCDEFGHIJKLMNOP"[number]].width = width
