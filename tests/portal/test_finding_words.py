"""Every finding that the verifier can give has its words in both languages, said once."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from bol_service.domain import errors
from bol_service.portal.words import CHINESE, ENGLISH, NEXT_STEPS
from bol_service.verification import verifier
from bol_service.verification.report import ASK_AGAIN, FORGED
from scripts import finding_words

FOLDER = Path(verifier.__file__).parent
GIVING = ("valid", "invalid", "unknown")
# The portal always has its own trust file; only the command line can lack one.
NEVER_HERE = {"Get the platform's trust file from its publication and pass it with --trust."}


def given() -> list[tuple[str, ast.Call]]:
    """Every call that makes a finding in a report, and the module it stands in."""
    return [
        (path.stem, node)
        for path in sorted(FOLDER.glob("*.py"))
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef) and _takes_report(function)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "report"
        and node.func.attr in GIVING
    ]


def _takes_report(function: ast.FunctionDef) -> bool:
    return any(
        arg.arg == "report"
        and arg.annotation is not None
        and ast.unparse(arg.annotation) in ("Report", "DisclosureReport")
        for arg in function.args.args
    )


def codes() -> set[str]:
    """The codes that stand in those calls; one that is computed is a refusal's own."""
    places = [call.args[1] for _, call in given()]
    written = {str(place.value) for place in places if isinstance(place, ast.Constant)}
    # What of disclosed fields is said in words of its own, the code being another check's too.
    written |= {"signature.signed", "signature.wrong_key"}
    computed = [ast.unparse(place) for place in places if not isinstance(place, ast.Constant)]
    assert all(place.endswith(".code") for place in computed)
    return written | {refusal.code for refusal in errors.refusals()}


def steps() -> set[str]:
    """What findings ask for; a step with a name in it is left out."""
    found = set()
    for stem, call in given():
        module = import_module(f"bol_service.verification.{stem}")
        for step in call.args[3:]:
            if isinstance(step, ast.Constant):
                found.add(str(step.value))
            elif isinstance(step, ast.Name):
                found.add(str(getattr(module, step.id)))
    return found


def test_the_verifier_was_read() -> None:
    assert {"well_formed", "not_included", "stale", "title_differs"} <= codes()
    assert {FORGED, ASK_AGAIN, "Use a newer verifier."} <= steps()


@pytest.mark.parametrize("code", sorted(codes()))
def test_a_finding_has_words_in_both_languages(code: str) -> None:
    assert ENGLISH[f"finding.{code}"]
    assert re.search("[\u4e00-\u9fff]", CHINESE[f"finding.{code}"])
    assert ENGLISH[f"finding.{code}"] != CHINESE[f"finding.{code}"]


def test_no_words_are_kept_for_a_finding_that_nobody_gives() -> None:
    kept = {key.partition(".")[2] for key in ENGLISH if key.startswith("finding.")}
    assert kept == codes()


@pytest.mark.parametrize("step", sorted(steps() - NEVER_HERE))
def test_what_a_finding_asks_for_is_said_in_chinese_too(step: str) -> None:
    assert re.search("[\u4e00-\u9fff]", NEXT_STEPS[step])


def test_the_words_are_those_of_the_offline_verifier() -> None:
    kept = finding_words.TARGET.read_text(encoding="utf-8")
    assert kept == finding_words.made(), "run: python scripts/finding_words.py"


def test_a_row_that_cannot_be_read_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match="in a form that is not known"):
        finding_words._table('const CODES = {\n  a: ["x", "y"],\n  b: words("z"),\n};\n', "CODES")
