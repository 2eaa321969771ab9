"""Two engines, one answer about bills that went from one platform to another, or are said to."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bol_service.verification.report import Check, Outcome, Verdict
from bol_service.verification.trust import read_trust
from bol_service.verification.verifier import verify
from tests.browser import OFFICE
from tests.node_verifier import PAGE, Question, compared, ours, theirs
from tests.two_platforms import SG
from tests.verifier_crossings import Border, crossed
from tests.verifier_peers import answers as peer_answers
from tests.verifier_peers import chains as peer_chains
from tests.verifier_peers import keys, trusting
from tests.verifier_peers import returns as peer_returns
from tests.verifier_smuggling import signers, smuggled
from tests.verifier_telling import Attempt

EVERYTHING = 1_000_000


@pytest.fixture(scope="module")
def border(tmp_path_factory: pytest.TempPathFactory) -> Border:
    return crossed(tmp_path_factory.mktemp("crossed"))


@pytest.fixture(scope="module")
def said(border: Border) -> tuple[list[dict], list[str]]:
    """Python's answers about what is genuine, and where the other engine says otherwise."""
    return compared(border.taken)


def test_both_engines_say_the_same_of_bills_that_crossed(
    border: Border, said: tuple[list[dict], list[str]]
) -> None:
    answers, disagreements = said

    assert len(border.taken) >= 40
    assert disagreements == []
    assert {answer["title"]["replayed"] for answer in answers if answer["title"]} == {True, False}


def test_genuine_evidence_of_a_bill_that_crossed_is_genuine(
    border: Border, said: tuple[list[dict], list[str]]
) -> None:
    answers, _ = said

    for question, answer in zip(border.taken, answers, strict=True):
        moved = answer["title"] is not None and answer["title"]["status"] == "MOVED"
        expected = Verdict.NOT_KNOWN_CURRENT if moved else Verdict.CURRENT
        assert (question.name, answer["verdict"]) == (question.name, str(expected))
    stated = {answer["title"]["status"] for answer in answers}
    assert stated >= {"IN_TRANSIT", "MOVED", "ISSUED", "SURRENDERED_FOR_DELIVERY"}


def test_both_engines_catch_every_smuggler_at_the_same_place(border: Border) -> None:
    attempts = list(smuggled(border, 6))
    assert len(attempts) >= 100

    reasons = judged(attempts)

    assert {code for _, code in reasons} >= {"in_transit", "moved", "not_exchange", "bad_chain"}


def judged(attempts: list[Attempt]) -> Counter[tuple[str, str]]:
    """What the last finding of each attempt was; both engines agree and say what was expected."""
    answers, disagreements = compared([attempt.question for attempt in attempts])
    assert disagreements == []
    missed = [
        f"{attempt.question.name}: {attempt.caught} expected, {answer['findings'][-1]} found"
        for attempt, answer in zip(attempts, answers, strict=True)
        if attempt.caught is not None and attempt.caught not in found_in(answer)
    ]
    assert missed == []
    return Counter(tuple(answer["findings"][-1][::2]) for answer in answers)


def found_in(answer: dict) -> set[tuple[str, str]]:
    return {(check, code) for check, _, code in answer["findings"]}


def test_the_built_page_judges_crossings_as_the_modules_do(border: Border) -> None:
    questions = [*border.taken, *(attempt.question for attempt in signers(border))]
    modules = theirs(questions)
    assert theirs(questions, "--page", str(PAGE)) == modules


def test_the_page_tells_a_reader_where_the_original_is(
    border: Border, tmp_path: Path, chromium: Browser
) -> None:
    context = chromium.new_context(locale="en-GB", viewport=OFFICE)
    for name, told in (
        ("sent: xlsc's of CQGY", "On its way to\nSGPX:banksg"),
        ("moved: xlsc's of CQGY", "the original is on another platform"),
        ("moved: banksg's of SGPX", "Issued on the platform\nCQGY"),
    ):
        page = context.new_page()
        asked = next(question for question in border.taken if question.name == name)
        show(page, asked, tmp_path)
        assert told in page.inner_text("main")
        page.click("#language-zh")
        asks_there = "请向现在持有正本的平台查询" in page.inner_text("#summary")
        assert asks_there is name.startswith("moved: xlsc")
    context.close()


def show(page: Page, asked: Question, folder: Path) -> None:
    bundle, trust = folder / "bill.ebl.json", folder / "trust.json"
    bundle.write_bytes(asked.content)
    trust.write_bytes(asked.trust or b"")
    page.goto(PAGE.as_uri())
    page.set_input_files("#trust", trust)
    expect(page.locator("#trust-state")).not_to_be_empty()
    page.set_input_files("#bundle", bundle)
    page.wait_for_selector("#verdict strong")


@pytest.mark.torture
def test_both_engines_catch_thousands_of_smugglers_at_the_same_place(border: Border) -> None:
    attempts = list(smuggled(border, EVERYTHING))
    assert len(attempts) >= 2000
    judged(attempts)


# -- whose keys the trust file names --------------------------------------------------------------


def test_with_keys_of_the_other_platform_all_that_crossed_is_checked_and_good(
    border: Border, said: tuple[list[dict], list[str]]
) -> None:
    plain, _ = said

    answers, disagreements = compared([trusting(one, keys(border)) for one in border.taken])

    assert disagreements == []
    for before, after in zip(plain, answers, strict=True):
        assert after["verdict"] == before["verdict"]
        assert codes(after, "peers") in (set(), {"peer_signed"}, {"peer_unchecked"})
    assert sum("peer_signed" in codes(answer, "peers") for answer in answers) >= 20


def test_without_such_keys_the_reader_is_told_what_was_not_checked(
    border: Border, said: tuple[list[dict], list[str]]
) -> None:
    asked = next(one for one in border.taken if one.name == "moved: xlsc's of CQGY")

    report = verify(asked.content, read_trust(asked.trust or b""), asked.now)

    [found] = [finding for finding in report.findings if finding.check is Check.PEERS]
    assert (found.outcome, found.code) == (Outcome.UNKNOWN, "peer_unchecked")
    assert found.message == "not checked: no key of SGPX is in the trust file"
    answers, _ = said
    assert any(codes(answer, "peers") == {"peer_unchecked"} for answer in answers)


def test_the_reader_is_told_how_much_of_each_platform_was_signed_by_its_keys(
    border: Border,
) -> None:
    asked = next(one for one in border.taken if one.name == "moved: xlsc's of CQGY")
    content = trusting(asked, keys(border))

    report = verify(content.content, read_trust(content.trust or b""), asked.now)

    told = [found.message for found in report.findings if found.check is Check.PEERS]
    assert told == ["SGPX: 1 signed by keys of the trust file"]


def test_where_only_the_keys_of_today_are_known_nothing_is_called_forged(border: Border) -> None:
    asked = next(one for one in border.taken if one.name == "moved: xlsc's of CQGY")
    known = keys(border)
    strange = {**known, "peers": [{**one, "platform": SG} for one in known["peers"][:1]]}
    trust = read_trust(trusting(asked, strange).trust or b"")

    of_today = replace(trust, peers=replace(trust.peers, all_keys=False))

    assert verify(asked.content, trust, asked.now).verdict is Verdict.NOT_GENUINE
    report = verify(asked.content, of_today, asked.now)
    assert report.verdict is Verdict.NOT_KNOWN_CURRENT
    [found] = [finding for finding in report.findings if finding.check is Check.PEERS]
    assert "is by no key of SGPX that is pinned today" in found.message


def test_both_engines_catch_what_no_other_platform_signed(border: Border) -> None:
    attempts = [*peer_answers(border), *peer_chains(border), *peer_returns(border)]

    reasons = judged(attempts)

    assert {code for check, code in reasons if check == "peers"} == {
        "peer_forged",
        "chain_differs",
        "no_chain",
    }
    forged = next(one for one in attempts if one.caught == ("peers", "peer_forged"))
    assert ours(forged.question)["verdict"] == str(Verdict.NOT_GENUINE)


def codes(answer: dict, check: str) -> set[str]:
    return {code for name, _, code in answer["findings"] if name == check}
