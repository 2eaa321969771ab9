"""The Bruno collection has every route of the API, and every request in it is a real one.

The files are read with a reader of their own, so that what the script writes is checked by
something else than itself; every GET is then sent to a real platform.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from bol_service.http.app import describe_api
from scripts import bruno_collection
from scripts.bruno_collection import FOLDER, METHODS
from tests.bill_scene import ANONYMOUS, Scene, scene

BLOCK = re.compile(r"^([a-z][a-z:-]*) \{\n(.*?)^\}\n", re.MULTILINE | re.DOTALL)
OF_A_REQUEST = {"meta", "docs", "assert", "params:query", "headers"}
# What answers otherwise in the test's platform than in the demonstration that the asserts are for.
WITHOUT = {"/v1/webhooks", "/witness"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One .bru file; `blocks` are its blocks without their indentation."""

    file: Path
    blocks: dict[str, str]

    @property
    def method(self) -> str:
        [found] = [name for name in self.blocks if name in METHODS]
        return found

    @property
    def url(self) -> str:
        return self.pairs(self.method)["url"]

    def pairs(self, block: str) -> dict[str, str]:
        lines = self.blocks.get(block, "").splitlines()
        return {name: value for name, _, value in (line.partition(": ") for line in lines)}


def parsed(file: Path) -> dict[str, str]:
    text = file.read_text(encoding="utf-8")
    left = BLOCK.sub("", text).strip()
    assert not left, f"{file.name} has more than blocks: {left[:80]}"
    found = BLOCK.findall(text)
    assert len({name for name, _ in found}) == len(found), f"{file.name} has a block twice"
    return {name: "\n".join(line[2:] for line in body.splitlines()) for name, body in found}


def requests() -> list[Request]:
    files = sorted(FOLDER.rglob("*.bru"))
    other = {"folder.bru", "collection.bru"}
    return [
        Request(file=file, blocks=parsed(file))
        for file in files
        if file.name not in other and file.parent.name != "environments"
    ]


REQUESTS = requests()


@cache
def routes() -> dict[tuple[str, str], Any]:
    return {
        (method, path): operation
        for path, item in describe_api()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def route_of(request: Request) -> tuple[str, str]:
    """The route whose path the address fits, with anything in place of a parameter."""
    path = request.url.removeprefix("{{baseUrl}}").split("?")[0]
    fitting = [
        (method, route)
        for method, route in routes()
        if method == request.method and re.fullmatch(pattern(route), path)
    ]
    return max(fitting, key=lambda found: (-found[1].count("{"), len(found[1])))


def pattern(route: str) -> str:
    """A tile's and a file's name may have slashes in it."""
    deep = ".+" if route in ("/ledger/tile/{name}", "/docs/static/{name}") else "[^/]+"
    return re.sub(r"\\\{\w+\\\}", deep, re.escape(route))


def test_the_collection_is_what_the_api_s_description_makes() -> None:
    assert bruno_collection.stale() == [], "run: python scripts/bruno_collection.py"


def test_every_route_has_one_request_and_every_request_a_route() -> None:
    found = [route_of(request) for request in REQUESTS]
    assert sorted(found) == sorted(routes())


@pytest.mark.parametrize(
    "request_", REQUESTS, ids=lambda found: found.blocks["meta"].split("\n")[0]
)
def test_a_request_tells_what_it_is_for_and_what_is_right(request_: Request) -> None:
    operation = routes()[route_of(request_)]
    assert operation["summary"] in request_.blocks["docs"]
    assert request_.pairs("meta")["type"] == "http"
    assert request_.pairs("assert")["res.status"].startswith(("eq 2", "in [2"))
    bodies = [name for name in request_.blocks if name.startswith("body:")]
    assert len(bodies) == (1 if "requestBody" in operation else 0)
    scripts = {name for name in request_.blocks if name.startswith("script:")}
    assert request_.blocks.keys() == (OF_A_REQUEST & request_.blocks.keys()) | scripts | {
        request_.method,
        *bodies,
    }


def test_requests_are_numbered_in_the_order_in_which_they_are_run() -> None:
    numbers = [int(request.pairs("meta")["seq"]) for request in REQUESTS]
    assert sorted(numbers) == list(range(1, len(REQUESTS) + 1))
    [token] = [request for request in REQUESTS if request.url.endswith("/oauth/token")]
    assert token.pairs("meta")["seq"] == "1"


def test_every_variable_is_in_the_environment_or_handed_on_by_a_request() -> None:
    texts = "\n".join(file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.bru"))
    known = set(re.findall(r'bru\.setVar\("(\w+)"', texts)) | environment().keys()
    used = set(re.findall(r"\{\{(\w+)\}\}", texts)) | set(re.findall(r'EnvVar\("(\w+)"', texts))
    used |= set(re.findall(r'\bread\("(\w+)"\)', texts))
    assert used <= known


def environment() -> dict[str, str]:
    lines = parsed(FOLDER / "environments" / "demo.bru")["vars"].splitlines()
    return dict(line.split(": ", 1) for line in lines)


def test_bodies_that_are_json_are_json() -> None:
    found = [request.blocks["body:json"] for request in REQUESTS if "body:json" in request.blocks]
    assert len(found) >= 2
    for body in found:
        json.loads(body)


# -- against a real platform ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene(tmp_path_factory.mktemp("bruno")) as ready:
        yield ready


@pytest.fixture(scope="module")
def values(stage: Scene) -> dict[str, str]:
    """What the collection's scripts would have handed on."""
    document = stage.voyage.saved["issued"]["digest"]
    found = {"bill": stage.bill_a, "shipment": stage.draft, "container": "XLCU7001127"}
    return {**environment(), **found, "digest": document, "baseUrl": ""}


READING = [
    request
    for request in REQUESTS
    if request.method == "get" and not any(part in request.url for part in WITHOUT)
]


@pytest.mark.parametrize("request_", READING, ids=lambda found: found.file.stem)
def test_a_reading_request_is_answered_as_it_asserts(
    stage: Scene, values: dict[str, str], request_: Request
) -> None:
    path = re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], request_.url)
    needs_token = request_.pairs("get")["auth"] == "inherit"
    answer = stage.request("GET", path, party="xlsc" if needs_token else ANONYMOUS)
    assert str(answer.status) in request_.pairs("assert")["res.status"], answer.body
    if needs_token:
        assert stage.request("GET", path).status == 401
