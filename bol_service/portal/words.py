"""The portal's words in both languages: `languages/en.json` and `languages/zh.json`.

Both files have the same keys, grouped by subject. Titles and next steps of refusals are the law's
own, so that a new refusal has words at once; the Chinese next steps stand in the file. Findings of
the verifier have the offline verifier's words, copied to `languages/findings.json`; a finding that
bears a refusal's code has the refusal's title.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

from bol_service.domain import errors

Words = dict[str, str]


def _json(name: str) -> dict[str, Any]:
    file = resources.files("bol_service.portal") / "languages" / f"{name}.json"
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return value


def _read(name: str) -> Words:
    groups = _json(name)
    return {
        f"{group}.{key}": text for group, texts in groups.items() for key, text in texts.items()
    }


def _english() -> Words:
    found = _read("en")
    for refusal in errors.refusals():
        found[f"refusal.{refusal.code}"] = refusal.title
        found[f"refusal.{refusal.code}.next"] = refusal.next_step
        found[f"finding.{refusal.code}"] = refusal.title
    return found | {f"finding.{code}": words[0] for code, words in _FINDINGS["findings"].items()}


def _chinese() -> Words:
    found = _read("zh")
    for refusal in errors.refusals():
        found[f"refusal.{refusal.code}"] = refusal.title_zh
        found[f"finding.{refusal.code}"] = refusal.title_zh
    return found | {f"finding.{code}": words[1] for code, words in _FINDINGS["findings"].items()}


_FINDINGS: Final = _json("findings")
ENGLISH: Final = _english()
CHINESE: Final = _chinese()
# What a finding asks for next: its English sentence, and the same in 中文.
NEXT_STEPS: Final[Words] = _FINDINGS["next"]
