"""Running something where there is no network at all: a namespace of its own, with nothing in it.

`unshare` needs root or user namespaces. Where it has neither the tests that need it fail and say
so: a claim about "offline" that was not tried is no claim.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser import OFFICE, browser

ROOT = Path(__file__).parents[1]
LONGEST_SECONDS = 120


def run_cut_off(
    command: Sequence[str], *, stdin: str = "", folder: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run `command` without network; fails the test if there is no way to take it away."""
    unshare = shutil.which("unshare")
    assert unshare is not None, "unshare is not installed; run: apt-get install util-linux"
    way = [unshare, "--net"] if os.geteuid() == 0 else [unshare, "--map-root-user", "--net"]
    tried = subprocess.run([*way, "true"], capture_output=True, text=True, check=False)
    assert tried.returncode == 0, (
        f"{' '.join(way)} is not permitted here ({tried.stderr.strip()}); run the tests as root, "
        "or allow user namespaces, so that offline can be tried"
    )
    return subprocess.run(
        [*way, *command],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
        cwd=folder,
    )


def can_reach(port: int) -> bool:
    """Whether a server on this machine's own loopback can be reached from here."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False


# -- inside --------------------------------------------------------------------------------------


def main() -> None:
    """Open the verifier's page from disk with each file in turn and tell what it shows.

    Reads {"page", "trust", "files", "locale", "port"} on stdin.
    """
    asked: dict[str, Any] = json.load(sys.stdin)
    requests: list[str] = []
    complaints: list[str] = []
    with browser() as chromium:
        context = chromium.new_context(locale=asked["locale"], viewport=OFFICE)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(Path(asked["page"]).as_uri())
        language = page.get_attribute("html", "lang")
        page.set_input_files("#trust", asked["trust"])
        expect(page.locator("#trust-state")).not_to_be_empty()
        told = [_told(page, Path(file)) for file in asked["files"]]
        if asked.get("picture"):
            page.screenshot(path=asked["picture"], full_page=True)
    found = {
        "language": language,
        "told": told,
        "requests": requests,
        "complaints": complaints,
        "reached": can_reach(asked["port"]),
    }
    print(json.dumps(found))


def _told(page: Page, file: Path) -> dict[str, Any]:
    """The verdict on `file` in both languages, and the codes of its findings."""
    page.set_input_files("#bundle", file)
    # Not by `wait_for_function`: what it asks again it evaluates, which the page's policy forbids.
    expect(page.locator("#bundle-state")).to_have_text(file.name)
    page.wait_for_selector("#verdict strong")
    codes = page.eval_on_selector_all(
        "#checks li", "items => items.map((item) => item.dataset.code)"
    )
    words = {}
    for language in ("en", "zh"):
        page.click(f"#language-{language}")
        words[language] = page.inner_text("#verdict strong")
    steps, summary = page.inner_text("#summary ul.next"), page.inner_text("#summary")
    return {"codes": codes, "next": steps, "summary": summary, **words}


if __name__ == "__main__":
    main()
