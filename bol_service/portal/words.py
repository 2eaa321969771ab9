"""The portal's words in both languages: `languages/en.json` and `languages/zh.json`.

Both files have the same keys, grouped by subject. Titles and next steps of refusals are the law's
own, so that a new refusal has words at once; the Chinese next steps stand in the file.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Final

from bol_service.domain import errors

Words = dict[str, str]


def _read(name: str) -> Words:
    file = resources.files("bol_service.portal") / "languages" / f"{name}.json"
    groups = json.loads(file.read_text(encoding="utf-8"))
    return {
        f"{group}.{key}": text for group, texts in groups.items() for key, text in texts.items()
    }


def _english() -> Words:
    found = _read("en")
    for refusal in errors.refusals():
        found[f"refusal.{refusal.code}"] = refusal.title
        found[f"refusal.{refusal.code}.next"] = refusal.next_step
    return found


def _chinese() -> Words:
    found = _read("zh")
    for refusal in errors.refusals():
        found[f"refusal.{refusal.code}"] = refusal.title_zh
    return found


ENGLISH: Final = _english()
CHINESE: Final = _chinese()
