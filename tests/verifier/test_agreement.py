"""Two engines, one answer: what Python's verifier and the page's say to the same files.

Compared are the verdict, every finding by check, outcome and code, who signed what, and the title.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path

import pytest

from bol_service.verification.report import Verdict
from tests import bundle_case, kit, verifier_cases, verifier_forgeries
from tests.bundle_case import Case
from tests.node_verifier import PAGE, Question, compared, theirs

EVERYTHING = 1_000_000


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    yield from bundle_case.two_bills(tmp_path_factory.mktemp("two-bills"))


def done_to_a_bill(case: Case, count: int) -> list[Question]:
    """`count` of each of the large groups, all of the small ones."""
    groups = (
        verifier_cases.splices(case),
        verifier_cases.flips(case, min(count, 3000)),
        verifier_cases.members(case, count),
        verifier_forgeries.forgeries(case),
        verifier_forgeries.statements(case, count),
        verifier_forgeries.acts(case, count),
        verifier_forgeries.texts(case),
        verifier_forgeries.headers(case),
        verifier_forgeries.documents(case, min(count, 300)),
        verifier_cases.trusts(case, count),
        verifier_cases.witnesses(case),
        verifier_cases.clocks(case),
        verifier_cases.old_evidence(),
    )
    return list(chain.from_iterable(groups))


def test_both_engines_say_the_same_to_all_that_may_be_done_to_a_bill(case: Case) -> None:
    questions = done_to_a_bill(case, 30)
    assert len(questions) >= 300

    answers, disagreements = compared(questions)

    assert disagreements == []
    assert {answer.get("verdict") for answer in answers} == {None, *map(str, Verdict)}
    reasons = Counter(tuple(answer["findings"][-1]) for answer in answers if "findings" in answer)
    assert len(reasons) >= 30, "the questions have become one-sided"


def test_both_engines_say_the_same_along_the_voyage(tmp_path: Path) -> None:
    with kit.platform(tmp_path) as platform:
        questions = list(verifier_cases.voyage(platform))

    answers, disagreements = compared(questions)

    assert disagreements == []
    assert {answer["verdict"] for answer in answers} == {
        "GENUINE AND CURRENT",
        "GENUINE, NOT KNOWN TO BE CURRENT",
        "GENUINE, ENDED",
    }
    assert {answer["title"]["replayed"] for answer in answers} == {True, False}


def test_the_built_page_and_its_own_arithmetic_judge_as_the_modules_do(case: Case) -> None:
    """The page that people open, and a browser without WebCrypto."""
    questions = [
        *verifier_cases.splices(case),
        *verifier_forgeries.headers(case),
        *verifier_cases.witnesses(case),
        *verifier_cases.old_evidence(),
    ]
    modules = theirs(questions)
    assert theirs(questions, "--page", str(PAGE)) == modules
    assert theirs(questions, "--own-arithmetic") == modules


@pytest.mark.torture
def test_both_engines_say_the_same_to_everything(tmp_path: Path) -> None:
    """Every member of every kind of act, statement, file and trust file bent in every way."""
    with ExitStack() as stack:
        folder = tmp_path / "two"
        folder.mkdir()
        cases = bundle_case.two_bills(folder)
        stack.callback(lambda: list(cases))
        questions = done_to_a_bill(next(cases), EVERYTHING)
        assert len(questions) >= 10_000
        assert compared(questions)[1] == []
