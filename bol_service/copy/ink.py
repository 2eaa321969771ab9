"""What the printed copy's fonts can show; everything else is spelled out.

PDF/A allows no character without a glyph, and a character that turns the reading direction or shows
nothing at all must not change what a reader takes from the page. So text from a document passes
here before it is set:

1. line breaks and tabs become spaces;
2. control, format, private and unassigned characters, what runs from right to left, marks piled
   upon marks, and whatever the fonts lack become their code point in brackets, as `[U+202E]`;
3. unbroken strings get places where a line may end (U+200B), so that none leaves its box.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

# Both come with the install; what fonts a machine has makes no difference to a copy.
FONTS: Final = (
    Path(str(resources.files("fontpkg_source_sans_3"))) / "files" / "SourceSans3[wght].ttf",
    Path(str(resources.files("noto_cjk_sans_jp_regular"))) / "NotoSansCJKjp-Regular.otf",
)
BREAK: Final = "\u200b"
_UNBROKEN: Final = re.compile(r"[!-~\u00a1-\u024f]{28,}")
_EVERY: Final = 12
_PILED: Final = re.compile(
    "(?<=[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\u3099\u309a])"
    "[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\u3099\u309a]+"
)
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SEGMENTED: Final = 12  # the cmap format that covers all of Unicode


def printable(text: str) -> str:
    """`text` as the copy can show it, on one line."""
    spaced = re.sub(r"[\r\n\t]+", " ", text)
    spelled = "".join(char if _has(char) else _spelled(char) for char in spaced)
    spelled = _PILED.sub(lambda found: "".join(map(_spelled, found[0])), spelled)
    return _UNBROKEN.sub(_breakable, spelled)


def _breakable(found: re.Match[str]) -> str:
    text = found[0]
    return BREAK.join(text[place : place + _EVERY] for place in range(0, len(text), _EVERY))


def _spelled(char: str) -> str:
    return f"[U+{ord(char):04X}]"


@cache
def _has(char: str) -> bool:
    if unicodedata.category(char) in _HIDDEN:
        return False
    if unicodedata.bidirectional(char) in _RIGHT_TO_LEFT:
        return False
    starts, ends = _ranges()
    place = bisect_right(starts, ord(char)) - 1
    return place >= 0 and ord(char) <= ends[place]


@cache
def _ranges() -> tuple[list[int], list[int]]:
    """First and last code points of the runs that a font has glyphs for, disjoint, ascending."""
    runs: list[tuple[int, int]] = []
    for first, last in sorted(group for font in FONTS for group in _groups(font.read_bytes())):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))
    return [first for first, _ in runs], [last for _, last in runs]


def _groups(font: bytes) -> Iterator[tuple[int, int]]:
    cmap = _table(font, b"cmap")
    (count,) = struct.unpack_from(">H", font, cmap + 2)
    for number in range(count):
        _, _, offset = struct.unpack_from(">HHI", font, cmap + 4 + 8 * number)
        (form,) = struct.unpack_from(">H", font, cmap + offset)
        if form != _SEGMENTED:
            continue
        (groups,) = struct.unpack_from(">I", font, cmap + offset + 12)
        for group in range(groups):
            first, last, _ = struct.unpack_from(">III", font, cmap + offset + 16 + 12 * group)
            yield first, last
        return


def _table(font: bytes, name: bytes) -> int:
    (count,) = struct.unpack_from(">H", font, 4)
    for number in range(count):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, 12 + 16 * number)
        if tag == name:
            return int(offset)
    raise LookupError(f"the font has no table {name.decode()}")
