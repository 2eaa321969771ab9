"""A real Chromium for tests: one browser, a context per party, and a watch over what it does.

A `Visitor` is one person at one computer: its own cookies and its own keys. Whatever the browser
complains of (content policy, scripts, missing files) and every request that leaves the platform is
noted, so that a test can assert that there was none.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

TIMEOUT_MS = 60_000  # a machine that is busy is no fault of the page
PHONE = {"width": 360, "height": 740}
OFFICE = {"width": 1366, "height": 768}
# What every camera of the browser shows: the file that is there when the camera is opened.
CAMERA = Path(tempfile.gettempdir()) / f"bol-camera-{os.getpid()}.y4m"
# A refused act is an answer of the API, not a fault of the page; Chromium complains all the same.
EXPECTED = "Failed to load resource: the server responded with a status of 4"


@dataclass(kw_only=True)
class Visitor:
    page: Page
    base_url: str
    complaints: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.base_url}{path}")
        return self.page

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.base_url, "data:", "blob:")):
            self.outside.append(request.url)

    def carry(self, cookie: str) -> None:
        """Have a cookie `name=value` as if the platform had set it."""
        name, _, value = cookie.partition("=")
        self.context.add_cookies([{"name": name, "value": value, "url": self.base_url}])

    def photograph(self, name: str) -> None:
        """Keep a picture of the page in the folder that BOL_SCREENSHOTS names, if it names one."""
        folder = os.environ.get("BOL_SCREENSHOTS")
        if folder:
            size = self.page.viewport_size or OFFICE
            language = self.page.get_attribute("html", "data-language")
            file = "".join(letter if letter.isalnum() else "-" for letter in name)[:80]
            path = Path(folder) / f"{file}-{language}-{size['width']}.png"
            self.page.screenshot(path=path, full_page=True)

    # -- what a person does -----------------------------------------------------------------------

    def make_key(self, party: str, alg: str = "Ed25519") -> str:
        """Make a key in this browser; its fingerprint."""
        page = self.go("/portal/keys")
        page.fill("#make-party", party)
        page.select_option("#make-alg", alg)
        page.click("#make-key button")
        return page.locator("#keys-done code").inner_text()

    def import_key(self, party: str, file: Path, passphrase: str = "") -> str:
        """Import a key file into this browser; the key's fingerprint."""
        page = self.go("/portal/keys")
        page.fill("#import-party", party)
        page.set_input_files("#import-file", file)
        page.fill("#import-secret", passphrase)
        page.click("#import-key button")
        return page.locator("#keys-done code").inner_text()

    def log_in(self, party: str) -> Page:
        """Log in with a key that this browser holds."""
        page = self.go("/portal/log-in")
        page.locator("#login-keys button", has_text=f" {party}").click()
        page.wait_for_url("**/portal/to-do")
        return page

    def sign(self) -> None:
        """On a check page: sign, and wait until the act is recorded."""
        self.page.click("#sign")
        self.page.wait_for_selector("#act-done:not([hidden])")


@dataclass(kw_only=True)
class Computers:
    """Makes visitors, each at a computer of its own."""

    browser: Browser
    base_url: str
    visitors: list[Visitor] = field(default_factory=list)

    def new(self, locale: str = "en-GB", **options: object) -> Visitor:
        chosen = {"viewport": OFFICE, "timezone_id": "Asia/Singapore", **options}
        context = self.browser.new_context(locale=locale, **chosen)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        visitor = Visitor(page=context.new_page(), base_url=self.base_url)
        visitor.watch()
        self.visitors.append(visitor)
        return visitor


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a screen; the one without windows, if it is there."""
    quick = None if "CHROMIUM" in os.environ else shutil.which("chromium-headless-shell")
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        launched = _launch(playwright.chromium, quick or _whole())
        yield launched
        launched.close()


@contextmanager
def browser_with_camera(beside: Browser) -> Iterator[Browser]:
    """The Chromium that can give leave to use a camera, which takes windows."""
    launched = _launch(beside.browser_type, _whole())
    yield launched
    launched.close()


def _whole() -> str:
    program = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert program is not None, "chromium is not installed; run: apt-get install chromium"
    return program


def _launch(kind: BrowserType, program: str) -> Browser:
    return kind.launch(
        executable_path=program,
        args=[
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={CAMERA}",
        ],
    )
