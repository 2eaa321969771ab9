"""Builds the verifier in one file, `bol_service/verification/offline/verifier.html`.

1. The modules of `verifier/` are put in the order of their imports, each in a function of its own
   that returns what it exports. There is no bundler and nothing is minified: whoever opens the page
   in an editor reads the source.
2. The tables of the law stand inline, where Node reads them from `schemas/law.json`.
3. One inline script and one inline style, both named by their hash in the page's own policy, which
   allows nothing else: no request, no frame, no form, no other script.

    python scripts/build_verifier.py                    writes the page
    python scripts/build_verifier.py --check            compares it with what is there
    python scripts/build_verifier.py --trust trust.json --output page.html
                                                        a platform's own page, with its keys inside
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from bol_service.verification.trust import read_trust
from bol_service.verification.trust_problem import TrustError

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "verifier"
TABLES = ROOT / "schemas" / "law.json"
PAGE = ROOT / "bol_service" / "verification" / "offline" / "verifier.html"
ENTRIES = ("copy.js", "page.js")

_IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def build(trust: str | None = None) -> str:
    """The page as text; `trust` is a trust file to put inside."""
    script = _script(trust)
    style = (SOURCE / "style.css").read_text(encoding="utf-8")
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    page = (SOURCE / "page.html").read_text(encoding="utf-8")
    for place, content in (("POLICY", policy), ("STYLE", style), ("SCRIPT", script)):
        page = page.replace("{{" + place + "}}", content)
    return page


def _script(trust: str | None) -> str:
    modules = [_module(path) for path in _ordered()]
    script = "\n".join(
        (
            '"use strict";',
            *modules,
            f"globalThis.eblVerifier = {{ readTrust: {_name('trust.js')}.readTrust, "
            f"verify: {_name('copy.js')}.verifyFile, "
            f"verifyFields: {_name('disclosed.js')}.verifyFields }};",
            f'if (typeof document !== "undefined") {_name("page.js")}'
            f".start(document, {_literal(trust)});",
            "",
        )
    )
    for sign in ("</script", "<!--", "{{"):
        if sign in script.lower():
            raise ValueError(f"the script holds {sign!r}, which would end or change it in a page")
    return script


def _ordered() -> list[str]:
    """The modules, each after those that it imports."""
    found: list[str] = []

    def visit(path: str, trail: tuple[str, ...]) -> None:
        if path in trail:
            raise ValueError(f"the modules import each other in a circle: {trail}")
        if path in found:
            return
        for _, imported in _IMPORT.findall(_source(path)):
            visit(_beside(path, imported), (*trail, path))
        found.append(path)

    for entry in ENTRIES:
        visit(entry, ())
    return found


def _source(path: str) -> str:
    if path == "tables.js":
        tables = json.loads(TABLES.read_text(encoding="utf-8"))
        return f"export const LAW = {_literal(tables)};\n"
    return (SOURCE / path).read_text(encoding="utf-8")


def _module(path: str) -> str:
    source = _source(path)
    exported = _EXPORT.findall(source)

    def taken(match: re.Match[str]) -> str:
        names = " ".join(match[1].split()).replace(" as ", ": ").rstrip(",")
        return f"const {{ {names} }} = {_name(_beside(path, match[2]))};\n"

    body = _EXPORT.sub("", _IMPORT.sub(taken, source))
    if re.search(r"^(?:import|export)\b", body, re.MULTILINE):
        raise ValueError(f"{path} imports or exports in a form that this script does not know")
    return (
        f"// ---- {path}\nconst {_name(path)} = (() => {{\n{body}"
        f"return {{ {', '.join(exported)} }};\n}})();"
    )


def _beside(path: str, imported: str) -> str:
    return str((Path("/") / Path(path).parent / imported).resolve().relative_to("/"))


def _name(path: str) -> str:
    return "m_" + re.sub(r"\W", "_", path.removesuffix(".js"))


def _literal(value: object) -> str:
    """JSON that is safe inside a script of a page."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the verifier in one file.")
    parser.add_argument("--check", action="store_true", help="compare, do not write")
    parser.add_argument("--trust", type=Path, help="a trust file to put inside")
    parser.add_argument("--output", type=Path, default=PAGE)
    options = parser.parse_args()
    trust = None
    if options.trust is not None:
        content = options.trust.read_bytes()
        try:
            read_trust(content)
        except TrustError as error:
            parser.error(f"{options.trust}: {error}. {error.next_step}")
        trust = content.decode("utf-8")
    page = build(trust)
    if not options.check:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(page, encoding="utf-8")
        return 0
    if options.output.exists() and options.output.read_text(encoding="utf-8") == page:
        return 0
    print(f"{options.output.name} is not what verifier/ makes; run: make verifier")
    return 1


if __name__ == "__main__":
    sys.exit(main())
