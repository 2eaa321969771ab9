"""Evidence from the platform of issue, on a screen of the platform where the cargo is handed out.

The bill of Chongqing lies with `straits`, who got it inside Singapore: Chongqing never heard of
that. One story; what was seen on its way is kept, and the tests look at it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from bol_service.application import portal_chain
from bol_service.application.portal_views import PortalViews
from bol_service.bootstrap import clock_of
from bol_service.crypto import base64url, strictjson
from bol_service.domain import errors
from bol_service.domain.states import Control
from bol_service.pint.relay_client import SignedPeer
from bol_service.storage.exchange import SqlExchange
from bol_service.verification.report import Verdict
from bol_service.verification.trust import read_trust
from bol_service.verification.verifier import verify
from tests.browser import PHONE, Computers, Visitor
from tests.delivery_scene import CQ, TERMINAL, Delivery, delivery
from tests.disclosed_bill import of_document
from tests.documents import corridor_document
from tests.portal_screens import barriers, is_too_wide
from tests.two_platforms import trust_of

Answered = tuple[int, dict[str, str], bytes]
PAGES = ("", "/events", "/document", "/evidence", "/files", "/disclose")


@dataclass(kw_only=True)
class Seen:
    """Pages by what was done before, in the words that a reader sees; files by name."""

    scene: Delivery
    pages: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Answered] = field(default_factory=dict)
    chains: dict[str, tuple[Control | None, Control]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/portal/abroad/{CQ}/{self.scene.bill}"

    def asked(self, party: str, method: str = "GET", path: str = "", lang: str = "en") -> Answered:
        token = self.scene.sg.client(party).token()
        cookie = {"Cookie": f"ebl-session={token}; ebl-language={lang}"}
        return self.sent(method, path or self.path, cookie)

    def verified(self, **files: bytes) -> str:
        """What Singapore's Verify page says to anybody."""
        kind, body = form_of(files)
        _, _, page = self.sent("POST", "/portal/verify", {"Content-Type": kind}, body)
        return page.decode()

    def sent(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> Answered:
        address = urlsplit(self.scene.sg.settings.base_url)
        origin = {"Origin": f"{address.scheme}://{address.netloc}"}
        connection = HTTPConnection(address.netloc, timeout=120)
        try:
            connection.request(method, path, body, {**headers, **origin})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def compare(self, when: str) -> None:
        """The end of the chain on the bill's page and the law's own control, on each platform."""
        for side, party in ((self.scene.cq, "xlsc"), (self.scene.sg, "straits")):
            views = PortalViews(side.running.store, clock_of(side.settings), side.origin)
            with suppress(errors.NotFound):
                page = views.bill(self.scene.bill, party)
                law = side.here(self.scene.bill).control
                self.chains[f"{when}, {side.code}"] = (page.chain[-1].control, law)

    def told(self, name: str, *asked: Any, **language: str) -> None:
        self.answers[name] = self.asked(*asked, **language)


def form_of(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """A form with these files in it: its media type, and its bytes."""
    body = b""
    for name, content in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
        body += b"--b0undary\r\n" + head.encode() + content + b"\r\n"
    return "multipart/form-data; boundary=b0undary", body + b"--b0undary--\r\n"


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Seen]:
    with delivery(tmp_path_factory.mktemp("abroad")) as scene:
        seen = Seen(scene=scene)
        scene.cq.act("yunling", "TRANSFER", scene.bill, recipient="SGPX:nobody")
        seen.compare("on its way")
        scene.two.settled(scene.bill)
        seen.compare("not taken abroad")
        scene.cross()
        seen.compare("moved")
        for action in ("ENDORSE_TO_ORDER", "TRANSFER"):
            scene.sg.act("banksg", action, scene.bill, recipient="straits")
        seen.compare("passed on abroad")
        for path in PAGES:
            seen.told(f"page{path}", "straits", "GET", f"/portal/bills/{scene.bill}{path}")
        seen.told("list of who has nothing", "straits", "GET", "/portal/abroad")
        for method in ("GET", "POST"):
            seen.told(f"stranger {method}", "sgterm", method)
        seen.told("file that is not there", "straits", "GET", f"{seen.path}/evidence")
        by_clicks(seen, chromium)
        seen.told("trust of nobody", "straits", "GET", "/portal/abroad/THXX/trust")
        seen.told("platform of nobody", "straits", "POST", seen.path.replace(CQ, "THXX"))
        with other_keys_are_pinned(scene):
            seen.told("forged", "straits", "POST")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bol_service.portal.evidence_abroad.HERE_BYTES", 0)
            seen.told("large", "straits")
            patch.setattr("bol_service.copy.checking_apart.PATIENCE", 0.001)
            seen.told("too large", "straits")
        deliver(seen)
        scene.cq.hand_over()
        seen.told("away", "straits", "POST")
        seen.told("away, in Chinese", "straits", "POST", lang="zh")
        yield seen


def by_clicks(seen: Seen, browser: Browser) -> None:
    """The consignee's clerk, on a phone and in Chinese, who has only the bill to begin with."""
    scene = seen.scene
    computers = Computers(browser=browser, base_url=scene.sg.settings.base_url)
    visitor = computers.new(locale="zh-CN", viewport=PHONE)
    visitor.carry(f"ebl-session={scene.sg.client('straits').token()}")
    page = visitor.go(f"/portal/bills/{scene.bill}")
    page.get_by_role("link", name=f"查看 {CQ} 的证据").click()
    looked_at(seen, visitor, "before")
    page.get_by_role("button", name=f"立即向 {CQ} 查询").click()
    page.wait_for_selector(".verdict")
    looked_at(seen, visitor, "after")
    page.get_by_role("button", name="English").click()
    looked_at(seen, visitor, "in English")
    take(seen, page, "evidence", "Download evidence")
    take(seen, page, "trust", f"Download the trust file of {CQ}")
    page.get_by_role("link", name="Evidence from other platforms").click()
    looked_at(seen, visitor, "list")
    assert (visitor.complaints, visitor.outside) == ([], [])
    visitor.context.close()


def looked_at(seen: Seen, visitor: Visitor, name: str) -> None:
    visitor.photograph(f"abroad {name}")
    assert barriers(visitor.page) == []
    assert not is_too_wide(visitor.page)
    seen.pages[name] = visitor.page.inner_text("main")


def take(seen: Seen, page: Page, name: str, words: str) -> None:
    with page.expect_download() as taken:
        page.get_by_role("link", name=words).click()
    seen.files[name] = taken.value.path().read_bytes()


@contextmanager
def other_keys_are_pinned(scene: Delivery) -> Iterator[None]:
    """The operator has pinned a trust file in which Chongqing's statement keys are not."""
    abroad = scene.sg.running.services.abroad
    assert abroad is not None
    pulling = abroad._pulling
    right = pulling._peers
    wrong = copy(right[CQ])
    assert isinstance(wrong, SignedPeer)
    wrong.trust = replace(wrong.trust, statement_keys=trust_of(scene.sg).statement_keys)
    pulling._peers = {CQ: wrong}
    try:
        yield
    finally:
        pulling._peers = right


def deliver(seen: Seen) -> None:
    """The surrender is accepted and the cargo ordered out: the terminal is told by itself."""
    scene = seen.scene
    scene.journey()
    scene.sg.act("straits", "SURRENDER_FOR_DELIVERY", scene.bill)
    seen.compare("asked")
    scene.two.settled(scene.bill)
    seen.compare("surrendered")
    scene.cq.act("xlsc", "SREJ", scene.bill, reason="PRESENTATION")
    scene.two.settled(scene.bill)
    seen.compare("rejected")
    scene.sg.act("straits", "SURRENDER_FOR_DELIVERY", scene.bill)
    scene.two.settled(scene.bill)
    scene.cq.act("xlsc", "SACC", scene.bill)
    scene.two.settled(scene.bill)
    seen.compare("accepted")
    scene.give_order()
    scene.two.until(lambda: b"Delivery ordered" in seen.asked(TERMINAL)[2])
    seen.told("terminal", TERMINAL)
    seen.told("list of the terminal", TERMINAL, "GET", "/portal/abroad")
    seen.told("who has passed it on", "banksg", "POST")
    seen.told("who surrendered it", "straits", "POST")
    seen.told("surrendered", "straits")


def test_the_holder_finds_from_its_bill_that_nothing_has_come_yet(seen: Seen) -> None:
    assert f"尚未收到 {CQ} 关于此提单的证据" in seen.pages["before"]
    assert b"Nothing has come for you yet" in seen.answers["list of who has nothing"][2]
    assert seen.answers["file that is not there"][0] == 404


def test_asked_by_a_button_it_shows_where_the_cargo_is(seen: Seen) -> None:
    for words in ("在内陆港", "真实", "签发", "进闸", "正本在另一平台"):
        assert words in seen.pages["after"]
    for words in ("at the inland terminal", "Issued", "Gate-in", "the original is not on CQGY"):
        assert words in seen.pages["in English"]
    assert "at the inland terminal" in seen.pages["list"]


def test_what_is_downloaded_is_verified_by_anybody_with_the_trust_file_beside_it(
    seen: Seen,
) -> None:
    trust = read_trust(seen.files["trust"])
    report = verify(seen.files["evidence"], trust, seen.scene.two.clock["now"])
    assert report.verdict is Verdict.NOT_KNOWN_CURRENT  # the original is not there
    assert (report.title and report.title.bill) == seen.scene.bill


def test_the_verify_page_judges_it_with_the_keys_pinned_for_that_platform(seen: Seen) -> None:
    page = seen.verified(file=seen.files["evidence"])
    assert "GENUINE, NOT KNOWN TO BE CURRENT" in page
    assert f"evidence of another platform, {CQ}" in page
    forged = seen.files["evidence"].replace(b'"recordedAt', b'"recordedAT', 1)
    assert "NOT GENUINE" in seen.verified(file=forged)


def test_fields_are_judged_with_the_keys_pinned_for_the_platform_of_their_evidence(
    seen: Seen,
) -> None:
    fields = of_document(corridor_document()).to_text().encode()
    page = seen.verified(file=fields, beside=seen.files["evidence"])
    assert f"evidence of another platform, {CQ}" in page
    assert "is of bill" in page  # genuine evidence, of another bill


def test_of_a_platform_whose_keys_nobody_pinned_nothing_is_said(seen: Seen) -> None:
    value = json.loads(seen.files["evidence"])
    header, payload, signature = value["statement"].split(".")
    claims = json.loads(base64url.decode(payload)) | {"origin": "demo.elsewhere/ebl"}
    told = base64url.encode(strictjson.canonical(claims))
    value["statement"] = f"{header}.{told}.{signature}"
    page = seen.verified(file=strictjson.canonical(value))
    assert "CANNOT SAY" in page
    assert "Use the trust file of demo.elsewhere/ebl." in page
    assert "evidence of another platform" not in page


def test_large_evidence_is_verified_apart_and_what_is_too_large_is_said_to_be(seen: Seen) -> None:
    assert b"GENUINE, NOT KNOWN TO BE CURRENT" in seen.answers["large"][2]
    page = seen.answers["too large"][2]
    assert b"too large to be verified for a page" in page
    assert b"Download evidence" in page
    assert b"GENUINE" not in page


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("stranger GET", id="who has nothing of the bill looks"),
        pytest.param("stranger POST", id="who has nothing of the bill asks"),
        pytest.param("platform of nobody", id="the platform is none"),
        pytest.param("trust of nobody", id="the trust file is nobody's"),
    ],
)
def test_to_others_the_page_does_not_exist(seen: Seen, name: str) -> None:
    status, _, page = seen.answers[name]
    assert status == 404
    assert b"Ask CQGY now" not in page


def test_for_a_stranger_nobody_is_asked(seen: Seen) -> None:
    flows = SqlExchange(seen.scene.sg.running.store).flows(0, 500)
    assert "sgterm" not in {flow.recipient for _, flow in flows}


def test_what_proves_nothing_is_not_kept_and_that_is_said(seen: Seen) -> None:
    status, _, page = seen.answers["forged"]
    assert status == 422
    assert b"What CQGY sent proves nothing" in page
    assert b"the last evidence of CQGY, of" in page


def test_the_terminal_finds_what_came_by_itself(seen: Seen) -> None:
    status, _, page = seen.answers["terminal"]
    assert status == 200
    for words in (b"Delivery ordered", b"Surrender accepted", b"at sea", b"GENUINE AND CURRENT"):
        assert words in page
    assert f'href="{seen.path}"'.encode() in seen.answers["list of the terminal"][2]


def test_who_is_shown_nothing_any_more_is_told_so(seen: Seen) -> None:
    status, _, page = seen.answers["who has passed it on"]
    assert status == 404
    assert b"CQGY shows you nothing of this bill." in page


def test_who_surrendered_the_bill_asks_anew_and_sees_the_order(seen: Seen) -> None:
    status, headers, _ = seen.answers["who surrendered it"]
    assert (status, headers["Location"]) == (303, seen.path)
    assert b"Delivery ordered" in seen.answers["surrendered"][2]


def test_a_platform_that_is_away_leaves_what_was_known_with_its_time(seen: Seen) -> None:
    status, _, page = seen.answers["away"]
    assert status == 503
    for words in (b"CQGY gives no answer.", b"the last evidence of CQGY, of", b"Delivery ordered"):
        assert words in page
    assert "没有答复" in seen.answers["away, in Chinese"][2].decode()


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_of_a_bill_that_came_from_abroad_open(seen: Seen, path: str) -> None:
    assert seen.answers[f"page{path}"][0] == 200


def test_what_only_the_platform_of_issue_knows_is_not_made_up(seen: Seen) -> None:
    page = seen.answers["page"][2].decode()
    for words in ("not received yet", "not yet on board", "CQGY:xlsc"):
        assert words not in page
    for words in ("xlsc on CQGY", "its containers are in the ledger there"):
        assert words in page


def test_fields_of_a_bill_that_came_are_not_said_to_be_without_a_commitment(seen: Seen) -> None:
    page = seen.answers["page/disclose"][2]
    assert b"This bill was issued on CQGY." in page
    assert b"without a commitment" not in page


def test_the_chain_ends_where_the_law_ends_when_the_bill_goes_abroad_and_comes_back(
    seen: Seen,
) -> None:
    assert len(seen.chains) == 13
    assert {when: shown for when, (shown, _) in seen.chains.items()} == {
        when: law for when, (_, law) in seen.chains.items()
    }
    holders = [seen.chains[f"{when}, CQGY"][1].possessor for when in ("on its way", "moved")]
    assert holders == ["yunling", "SGPX:banksg"]


def test_a_chain_that_leaves_out_moves_inside_another_platform_ends_with_who_acted() -> None:
    endorsed = {"action": "ENDORSE_TO_ORDER", "actor": "SGPX:banksg", "recipient": "SGPX:straits"}
    asked = {"action": "SURRENDER_FOR_DELIVERY", "actor": "SGPX:straits", "recipient": "xlsc"}
    fold = portal_chain._Fold("xlsc")
    for action, members in (
        ("ISSUE", {"details": {"issueTo": "yunling", "parties": {"titleHolder": "yunling"}}}),
        ("TRANSFER", {"recipient": "SGPX:banksg", "details": {}}),
        ("MOVED", {"details": {}}),
        ("RETURNED", {"details": {"steps": [endorsed, asked]}}),
        ("SREJ", {"details": {}}),
        ("MOVED", {"details": {}}),
    ):
        _, control = fold.take({"action": action, **members})
    assert control == Control(possessor="SGPX:straits", title_holder="SGPX:straits")


pytestmark = pytest.mark.filterwarnings("error")
