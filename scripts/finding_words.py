"""The verifier's findings in both languages, taken from the offline verifier's own words.

`verifier/words.js` says them once, for the page that people keep. The portal shows the same words:
this script copies them to `bol_service/portal/languages/findings.json`. Titles of refusals are the
law's own (`domain.errors`) and are not in there.

    python scripts/finding_words.py            writes the file
    python scripts/finding_words.py --check    compares it with what is there
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from bol_service.verification.report import ASK_AGAIN, FORGED

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "verifier" / "words.js"
TARGET = ROOT / "bol_service" / "portal" / "languages" / "findings.json"

_STRING = r'"(?:[^"\\]|\\.)*"'
_KEY = rf"(\w+|{_STRING}|\[LAW\.report\.(?:forged|askAgain)\])"
_VALUE = rf"({_STRING}|LAW\.report\.(?:forged|askAgain))"
_ROW = re.compile(rf"^  {_KEY}:\s*\[\s*{_VALUE},\s*({_STRING}),?\s*\],$", re.MULTILINE)
_CONSTANTS = {"LAW.report.forged": FORGED, "LAW.report.askAgain": ASK_AGAIN}

Rows = dict[str, tuple[str, str]]


def made() -> str:
    """The file as text."""
    source = SOURCE.read_text(encoding="utf-8")
    steps = {key: rows for key, rows in _table(source, "NEXT").items() if not key.isupper()}
    value = {
        "findings": {code: list(words) for code, words in sorted(_table(source, "CODES").items())},
        "next": {english: chinese for english, (_, chinese) in sorted(steps.items())},
    }
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _table(source: str, name: str) -> Rows:
    """A table of words.js: (English, 中文) by key; raises ValueError for a row it cannot read."""
    found = re.search(rf"^const {name} = \{{\n(.*?)^\}};", source, re.MULTILINE | re.DOTALL)
    if found is None:
        raise ValueError(f"{SOURCE.name} has no table {name}")
    rows = [tuple(map(_text, row)) for row in _ROW.findall(found[1])]
    left = _ROW.sub("", found[1]).strip()
    if left:
        raise ValueError(f"{SOURCE.name}: rows of {name} in a form that is not known: {left[:80]}")
    return {key: (english, chinese) for key, english, chinese in rows}


def _text(written: str) -> str:
    bare = written.strip("[]")
    if bare in _CONSTANTS:
        return _CONSTANTS[bare]
    return str(json.loads(written)) if written.startswith('"') else written


def main() -> int:
    parser = argparse.ArgumentParser(description="Copies the words of findings to the portal.")
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    options = parser.parse_args()
    text = made()
    if not options.check:
        TARGET.write_text(text, encoding="utf-8")
        return 0
    if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
        return 0
    print(f"{TARGET.name} is not what {SOURCE.name} says; run: python scripts/finding_words.py")
    return 1


if __name__ == "__main__":
    sys.exit(main())
