"""One catalogue of refusals: whatever goes wrong, the answer bears a code that is in it.

The codes of the law come from `domain.errors`, those of the transport and of witnessing from
`http.problems`. Every answer tells the code, what happened with both values, what to do next, and
the request's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bol_service.domain import errors
from bol_service.http import problems
from bol_service.http.codes import ABROAD, CATALOGUE, TRANSPORT, WEBHOOK, WITNESS
from bol_service.http.problems import PROBLEM
from bol_service.wire import drafting
from tests.bill_scene import JOSE, Answer, Scene, scene

SOURCE = Path(problems.__file__).parent.parent
LAW = {refusal.code: refusal for refusal in errors.refusals()}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("catalogue")) as ready:
        yield ready


# -- the catalogue itself ------------------------------------------------------------------------


def test_the_catalogue_is_the_law_and_the_transport_and_nothing_else() -> None:
    own = [entry.code for entry in (*TRANSPORT, *WITNESS, *WEBHOOK, *ABROAD)]
    assert sorted([*own, *LAW]) == sorted(CATALOGUE)


def all_subclasses(cls: type[errors.Refusal]) -> set[type[errors.Refusal]]:
    direct = set(cls.__subclasses__())
    return direct.union(*map(all_subclasses, direct))


def test_every_refusal_that_the_program_knows_is_in_the_catalogue() -> None:
    """Also one that derives from another refusal, and one in another module."""
    for refusal in all_subclasses(errors.Refusal):
        assert refusal.code in CATALOGUE, refusal


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_code_tells_what_it_means_and_what_to_do(code: str) -> None:
    entry = CATALOGUE[code]
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
    assert 400 <= entry.status < 600
    assert entry.title[0].isupper()
    assert not entry.title.endswith(".")
    assert entry.next_step.endswith(".")
    assert len(entry.next_step.split()) >= 3


@pytest.mark.parametrize("code", sorted(LAW))
def test_a_refusal_of_the_law_speaks_chinese_too(code: str) -> None:
    assert re.search("[\u4e00-\u9fff]", LAW[code].title_zh)
    assert (CATALOGUE[code].status, CATALOGUE[code].title) == (LAW[code].status, LAW[code].title)


def test_titles_and_codes_are_told_apart() -> None:
    assert len({entry.title for entry in CATALOGUE.values()}) == len(CATALOGUE)


def test_every_refusal_of_the_law_is_raised_somewhere() -> None:
    """A code that nothing can bring about is no promise but noise."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    unused = [
        refusal.__name__
        for refusal in LAW.values()
        if not re.search(rf"\berrors\.{refusal.__name__}\b", text)
    ]
    assert not unused


def test_every_code_of_the_transport_is_used() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("http/*.py"))
    by_status = set(problems._BY_STATUS.values())
    for entry in (*TRANSPORT, *WITNESS, *WEBHOOK):
        assert entry.code in by_status or text.count(f'"{entry.code}"') > 1, entry.code


def test_the_page_of_errors_tells_every_code(stage: Scene) -> None:
    found: set[str] = set()

    class Rows(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "tr":
                found.update(str(value) for name, value in attrs if name == "id")

    Rows().feed(stage.request("GET", "/docs/errors").body.decode())
    assert found == CATALOGUE.keys()


# -- answers -------------------------------------------------------------------------------------


def answers(stage: Scene) -> dict[str, Answer]:
    """One answer of each kind that the transport can refuse with, and some of the law."""
    party = "bankcq"
    stranger = stage.clients["shadow"]
    assert stranger.signer is not None
    on_other = stranger.draft_event("SIGN", f"bill:{stage.bill_a}", after=None)
    by_other = stage.clients["bankcq"].draft_event("SIGN", f"bill:{stage.bill_a}", after=None)
    own = stage.clients["bankcq"].signer
    assert own is not None
    return {
        "bad_request": stage.request("GET", "/v1/bills/%00", party=party),
        "not_authenticated": stage.request("GET", "/v1/bills"),
        "not_found": stage.request("GET", f"/v1/bills/{'0' * 64}", party=party),
        "method_not_allowed": stage.request("PUT", "/v1/bills", body=b""),
        "too_large": stage.request("POST", "/v1/events", body=b"a" * 1_000_001, media_type=JOSE),
        "unsupported_media_type": stage.request("POST", "/v1/events", body=b"a"),
        "invalid_query": stage.request("GET", "/v1/bills?x=1", party=party),
        "bad_document": stage.request(
            "POST", "/v1/documents", party=party, body=b"{}", media_type="application/json"
        ),
        "bad_event": stage.post_event("a.b.c"),
        "not_found of the law": stage.post_event(drafting.sign(on_other, stranger.signer)),
        "wrong_key": stage.post_event(drafting.sign(by_other, stranger.signer)),
        "stale_head": stage.post_event(drafting.sign(by_other, own)),
        "not_found of the router": stage.request("GET", "/nothing/here"),
    }


def test_every_answer_has_the_members_of_a_problem(stage: Scene) -> None:
    for name, answer in answers(stage).items():
        problem, code = answer.json(), name.split()[0]
        entry = CATALOGUE[code]
        assert answer.headers["Content-Type"] == PROBLEM, name
        assert problem["code"] == code
        assert problem["status"] == answer.status == entry.status
        assert (problem["title"], problem["nextStep"]) == (entry.title, entry.next_step)
        assert problem["type"] == f"/docs/errors/{code}"
        assert problem["detail"]
        assert problem["requestId"] == answer.headers["X-Request-Id"]


def test_an_answer_tells_both_values(stage: Scene) -> None:
    found = answers(stage)
    stale = found["stale_head"].json()
    assert "sequence 0 was signed" in stale["detail"]
    assert stale["pointer"] == "/sequence"
    wrong = found["wrong_key"].json()
    assert "shadow" in wrong["detail"]
    assert "bankcq" in wrong["detail"]
    assert found["too_large"].json()["detail"] == "1000001 bytes came, at most 1000000 are read"
    media = found["unsupported_media_type"].json()
    assert JOSE in media["detail"]


def test_a_broken_document_is_told_all_its_faults_at_once(stage: Scene) -> None:
    problem = answers(stage)["bad_document"].json()
    assert len(problem["errors"]) > 5
    for fault in problem["errors"]:
        assert fault.keys() == {"pointer", "rule", "message"}
        assert fault["message"]


@pytest.mark.parametrize(
    "given", ["my-request-1", "a" * 64, "01890000-0000-7000-8000-000000000000"]
)
def test_a_request_id_that_was_given_is_kept(stage: Scene, given: str) -> None:
    for path in ("/healthz", "/v1/bills", "/nothing"):
        answer = stage.request("GET", path, headers={"X-Request-Id": given})
        assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with blank", "semi;colon", "<script>", "ünïcode-id"]
)
def test_a_request_id_that_could_do_harm_is_replaced(stage: Scene, given: str) -> None:
    answer = stage.request("GET", "/healthz", headers={"X-Request-Id": given})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])


def test_answers_are_not_cached_nor_framed_nor_sniffed(stage: Scene) -> None:
    for answer in (*answers(stage).values(), stage.request("GET", "/rulebook")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_failure_of_the_service_tells_nothing_of_its_inside(
    stage: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 with the request's id, and neither the message nor the trace."""

    def fail(*_: object) -> None:
        raise RuntimeError("secret-detail-of-the-inside")

    monkeypatch.setattr(stage.platform.running.services.queries, "party", fail)
    answer = stage.request("GET", "/v1/parties/shadow")
    assert (answer.status, answer.json()["code"]) == (500, "internal")
    assert b"secret-detail" not in answer.body
    assert b"Traceback" not in answer.body
