"""Every code that can come out has a page at its problem's `type`, in English and in 中文."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest

from bol_service.http.codes import ABROAD, CATALOGUE, TRANSPORT, WEBHOOK, WITNESS
from bol_service.http.error_words import CAUSES, CHINESE
from bol_service.portal.words import CHINESE as PORTAL
from tests.bill_scene import Scene, scene

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("pages")) as ready:
        yield ready


def told(page: str) -> list[str]:
    """What the page tells: meaning, cause and next step, in English and then in 中文."""
    return [unescape(text) for text in re.findall(r"<dd>(.*?)</dd>", page)]


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_a_code_has_a_page_that_tells_meaning_cause_and_next_step(stage: Scene, code: str) -> None:
    answer = stage.request("GET", f"/docs/errors/{code}")
    assert answer.status == 200
    meaning, cause, next_step, *chinese = told(answer.body.decode())
    assert (meaning, next_step) == (CATALOGUE[code].title, CATALOGUE[code].next_step)
    assert len(cause.split()) >= 5
    assert cause.endswith(".")
    assert cause not in (meaning, next_step)
    assert len(chinese) == 3
    assert all(HAN.search(text) for text in chinese)


def test_no_words_are_kept_for_a_code_that_is_gone() -> None:
    assert CAUSES.keys() == CATALOGUE.keys()
    assert CHINESE.keys() == {entry.code for entry in (*TRANSPORT, *WITNESS, *WEBHOOK, *ABROAD)}


def test_causes_are_told_apart() -> None:
    assert len({cause for cause, _ in CAUSES.values()}) == len(CAUSES)


def test_the_law_s_next_steps_are_the_portal_s_words(stage: Scene) -> None:
    page = stage.request("GET", "/docs/errors/stale_head").body.decode()
    assert told(page)[-1] == PORTAL["refusal.stale_head.next"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/bills"),
        ("GET", "/v1/nothing"),
        ("PUT", "/v1/bills"),
        ("GET", "/v1/parties?x=1"),
        ("POST", "/v1/events"),
    ],
    ids=["no token", "no such route", "no such method", "a strange parameter", "no media type"],
)
def test_the_type_of_a_live_refusal_opens_its_page(stage: Scene, method: str, path: str) -> None:
    refused = stage.request(method, path, body=None if method == "GET" else b"")
    problem = refused.json()
    page = stage.request("GET", problem["type"])
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"<h1><code>{problem['code']}</code></h1>" in page.body.decode()


def test_the_type_of_a_refused_event_opens_its_page_too(stage: Scene) -> None:
    problem = stage.post_event("a.b.c").json()
    assert problem["code"] == "bad_event"
    assert stage.request("GET", problem["type"]).status == 200


def test_the_index_leads_to_every_page(stage: Scene) -> None:
    index = stage.request("GET", "/docs/errors").body.decode()
    assert set(re.findall(r'<a href="/docs/errors/([a-z_]+)"', index)) == CATALOGUE.keys()


@pytest.mark.parametrize(
    "name", ["nothing", "STALE_HEAD", "stale_head/", "%3Cscript%3E", "..%2Ferrors", "stale_head%00"]
)
def test_a_code_that_does_not_exist_has_no_page(stage: Scene, name: str) -> None:
    answer = stage.request("GET", f"/docs/errors/{name}")
    assert answer.status in (400, 404)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_page_bears_the_strict_policy_and_nothing_that_it_forbids(stage: Scene) -> None:
    answer = stage.request("GET", "/docs/errors/busy")
    policy = answer.headers["Content-Security-Policy"]
    assert policy == stage.request("GET", "/healthz").headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    page = answer.body.decode()
    assert not re.search(r"<script|<style|\son[a-z]+=|\sstyle=|https?://", page)
