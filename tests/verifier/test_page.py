"""The verifier in one file: built from its source, closed to the outside, readable by a person."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from scripts.build_verifier import SOURCE, build
from tests.node_verifier import PAGE, ROOT, ask

VECTORS = ROOT / "tests" / "vectors"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_page_is_what_its_source_makes(page: str) -> None:
    assert page == build(), "run: python scripts/build_verifier.py"


def test_the_page_s_policy_names_its_one_script_and_style_and_nothing_else(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    allowed = {part.split()[0]: part.split()[1:] for part in policy[1].split("; ")}
    inline = {
        f"{element}-src": [_hash(text)]
        for element, text in re.findall(r"<(script|style)>(.*?)</\1>", page, re.DOTALL)
    }
    assert allowed == {
        **inline,
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@pytest.mark.parametrize(
    "sign",
    [
        r"https?://(?!demo)",
        r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser)\b",
        r"\b(?:eval|Function)\(",
        r"\b(?:fetch|XMLHttpRequest|WebSocket|sendBeacon|importScripts)\b",
        r"\b(?:localStorage|sessionStorage|indexedDB|cookie)\b",
        r"<(?:img|link|iframe|object|embed|base)\b",
        r"\son[a-z]+=|\sstyle=",
    ],
    ids=[
        "another address",
        "text that becomes markup",
        "text that becomes code",
        "a request",
        "something kept in the browser",
        "an element that loads",
        "an attribute that runs or styles",
    ],
)
def test_the_page_holds_no(page: str, sign: str) -> None:
    assert re.findall(sign, page) == []


def test_every_module_is_in_the_page(page: str) -> None:
    modules = {str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.js")}
    assert set(re.findall(r"^// ---- (\S+)$", page, re.MULTILINE)) == modules


def test_a_platform_can_put_its_own_keys_into_its_page() -> None:
    trust = (VECTORS / "voyage-v1.trust.json").read_text()
    made = build(trust)
    literal = re.search(r"\.start\(document, (.*)\);\n", made)
    assert literal is not None
    assert json.loads(literal[1]) == trust
    assert ".start(document, null);" in build()


def test_a_file_cannot_end_the_script_that_holds_it() -> None:
    assert "</script" not in build('{"origin":"</script><script>"}').partition("<script>")[2][:-30]


def test_the_runner_reads_files_by_itself(tmp_path: Path) -> None:
    """Whoever has Node and no Python."""
    files = [str(VECTORS / f"voyage-v1.{kind}.json") for kind in ("ebl", "trust")]
    [report] = ask([], "--page", str(PAGE), *files, whole=True)
    assert report["verdict"] == "GENUINE, ENDED"
    assert report["title"]["titleHolder"] == "straits"
