"""The documents are true: links lead somewhere, commands exist, formats are those of the code.

1. every relative link in a Markdown file resolves, and its anchor is a heading there;
2. every `bol ...` command in a code block is one of the real command line, with its options;
3. README's `make` targets exist; what it shows of the demo is in the voyage's script;
4. docs/formats.md is up to date; its worked example is recomputed;
5. every decision is in the index, every refusal code of adr/0015 is the code's.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from bol_service.cli.main import cli
from bol_service.crypto import jws
from bol_service.crypto.keys import PublicKey
from bol_service.domain import errors
from bol_service.domain.events import Action
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.entry import Entry, leaf, public_entry, stream_tag
from bol_service.ledger.note import parse_vkey
from bol_service.wire.events import PROOF_TYP, decode, key_proof_payload
from scripts.document_formats import FORMATS, MEANING, rewritten

ROOT = Path(__file__).parents[2]
ADR = ROOT / "docs" / "adr"


def tracked_or_new(pattern: str) -> list[Path]:
    """Files of the repository, without what is ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", pattern]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    return sorted(ROOT / name.decode() for name in listed.split(b"\0") if name)


DOCUMENTS = [path for path in tracked_or_new("*.md") if path.is_file()]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """The text without its code blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def links(path: Path) -> Iterator[tuple[str, str]]:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if not re.match(r"[a-z]+:", target):
            place, _, anchor = target.partition("#")
            yield place, anchor


def anchors(path: Path) -> set[str]:
    """The anchors of the headings, as the usual viewers make them."""
    headings = re.findall(r"^#+ (.+)$", prose(path), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", text.lower()).strip().replace(" ", "-") for text in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    for place, anchor in links(document):
        target = (document.parent / place).resolve() if place else document
        assert target.exists(), f"{name_of(document)} links to {place}"
        if anchor:
            assert anchor in anchors(target), f"{name_of(document)} links to {place}#{anchor}"


def test_the_documents_that_the_readme_promises_are_there() -> None:
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"} <= set(
        map(name_of, DOCUMENTS)
    )
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


# -- commands ------------------------------------------------------------------------------------


def commands(document: Path) -> Iterator[list[str]]:
    """The words of each `bol` command in a code block; what follows a pipe or `>` is left out."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```(?:sh|console|bash)\n(.*?)^ *```", text, flags=re.M | re.S)
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        found = re.match(r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?bol\s+(.*)", line)
        if found:
            yield shlex.split(re.split(r"\s[|>]", found[1])[0], comments=True)


SHOWN = [(path, words) for path in DOCUMENTS for words in commands(path)]


def test_there_are_commands_to_check() -> None:
    assert len(SHOWN) >= 15


@pytest.mark.parametrize(
    ("document", "words"),
    SHOWN,
    ids=[f"{name_of(path)}: bol {' '.join(words)}"[:80] for path, words in SHOWN],
)
def test_every_command_shown_is_a_command(document: Path, words: list[str]) -> None:
    command: click.Command = cli
    context = click.Context(cli)
    rest = list(words)
    while isinstance(command, click.Group):
        assert rest, f"bol {' '.join(words)} names no command"
        found = command.get_command(context, rest.pop(0))
        assert found is not None, f"bol {' '.join(words)} in {name_of(document)}"
        command = found
    known = {option for parameter in command.params for option in parameter.opts}
    known |= {option for parameter in command.params for option in parameter.secondary_opts}
    used = {word.partition("=")[0] for word in rest if word.startswith("-") and word != "-"}
    assert used <= known | {"--help"}


# Commands named in running text, such as `bol party suspend`.
NAMED = sorted(
    {found for path in DOCUMENTS for found in re.findall(r"`(bol(?: [a-z][a-z-]+)+)", prose(path))}
)


@pytest.mark.parametrize("named", NAMED)
def test_every_command_named_is_a_command(named: str) -> None:
    command: click.Command | None = cli
    context = click.Context(cli)
    for word in named.split()[1:]:
        if not isinstance(command, click.Group):
            return  # an argument
        command = command.get_command(context, word)
        assert command is not None, named


def test_every_make_target_that_the_documents_name_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.M))
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        named = {
            word
            for line in re.findall(r"\bmake ((?:[a-z]+ ?)+)(?:`|#|\s{2}|$)", text, flags=re.M)
            for word in line.split()
        }
        assert {"demo", "test"} <= named
        assert named <= targets, name


# -- the demo ------------------------------------------------------------------------------------


def shown_acts() -> list[tuple[str, str]]:
    """(sentence, result) of each line of the time line in README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    line = r"^ [0-9]+n? +[0-9-]+ [0-9:]+ +[a-z]+ +(.+?) {2,}✓ (?:refused: )?([a-z_]+)"
    return re.findall(line, text, flags=re.M)


def test_what_the_readme_shows_of_the_demo_is_in_its_script() -> None:
    steps = json.loads((ROOT / "seeds/demo/voyage.json").read_text(encoding="utf-8"))["steps"]
    told = [(step["en"], step.get("expect", "recorded")) for step in steps if "en" in step]
    acts = shown_acts()
    assert len(acts) >= 8
    for sentence, result in acts:
        assert any(whole.startswith(sentence) and expected == result for whole, expected in told), (
            sentence
        )


# -- formats -------------------------------------------------------------------------------------


def test_formats_md_is_what_the_schemas_say() -> None:
    text = FORMATS.read_text(encoding="utf-8")
    assert rewritten(text) == text, "run: python scripts/document_formats.py"


def test_every_action_is_told() -> None:
    assert MEANING.keys() == set(Action)


@pytest.fixture(scope="module")
def vector() -> dict[str, Any]:
    text = (ROOT / "docs/samples/vector.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_worked_event_is_signed_as_told(vector: dict[str, Any]) -> None:
    key = PublicKey.from_jwk(vector["jwk"])
    signed = decode(vector["jws"])
    jws.verify(signed.parsed, key)
    assert key.kid == vector["kid"]
    assert signed.parsed.payload.decode() == vector["payload"]
    assert signed.parsed.digest == vector["previousOfNext"]


def test_the_worked_entry_and_leaf_are_computed_as_told(vector: dict[str, Any]) -> None:
    entry = Entry(event=vector["jws"], recorded_at=vector["recordedAt"])
    sequence = json.loads(vector["payload"])["sequence"]
    tag = stream_tag(vector["stream"])
    assert entry.bytes().decode() == vector["entryBytes"]
    assert entry.digest.hex() == vector["entryDigest"]
    assert tag.hex() == vector["streamTag"]
    assert public_entry(tag, sequence, entry.digest).hex() == vector["publicEntry"]
    assert leaf(vector["stream"], sequence, entry).hex() == vector["leaf"]


def test_the_worked_checkpoint_verifies(vector: dict[str, Any]) -> None:
    signed = open_checkpoint(vector["checkpointOfThisLeafAlone"], [parse_vkey(vector["vkey"])])
    assert signed.checkpoint.size == 1
    assert signed.checkpoint.root.hex() == vector["leaf"]


def test_the_worked_key_proof_verifies(vector: dict[str, Any]) -> None:
    key = PublicKey.from_jwk(vector["jwk"])
    payload = key_proof_payload(
        origin="demo.cq.example/ebl", party="yunling", key=key, identity=None
    )
    assert payload.decode() == vector["keyProofPayload"]
    jws.verify(jws.parse_detached(vector["keyProof"], payload, PROOF_TYP), key)


# -- decisions -----------------------------------------------------------------------------------


def test_every_decision_is_in_the_index_and_numbered_without_gap() -> None:
    pages = sorted(path.name for path in ADR.glob("[0-9]*.md"))
    index = re.findall(r"\]\(([0-9]{4}-[a-z0-9-]+\.md)\)", (ADR / "README.md").read_text("utf-8"))
    assert index == pages
    assert [int(name[:4]) for name in pages] == list(range(1, len(pages) + 1))


@pytest.mark.parametrize("page", sorted(ADR.glob("[0-9]*.md")), ids=lambda path: path.stem)
def test_a_decision_tells_context_decision_consequences_and_alternatives(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, flags=re.M)
    assert headings == ["Context", "Decision", "Consequences", "Alternatives"]


def test_the_codes_of_decision_15_are_those_of_the_law() -> None:
    text = (ADR / "0015-refusal-codes.md").read_text(encoding="utf-8")
    told = {(code, int(status)) for code, status in re.findall(r"^\| `(\w+)` \| (\d+)", text, re.M)}
    assert len(told) == 15
    assert told <= {(refusal.code, refusal.status) for refusal in errors.refusals()}
