"""`bol demo` plays the whole voyage and proves it; `bol seed` leaves a platform up with it.

The demonstration fails, with an exit code, on any surprise: an act that was refused, a fraud that
was not, evidence that does not verify, a flipped byte that does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bol_service.cli.border_voyage import PATIENCE_SECONDS, BorderVoyage, NotSettled
from bol_service.cli.demo_border import DemoBorder, prepare_border
from bol_service.cli.demo_platform import ORIGIN, DemoFailed, DemoPlatform, prepare, write_trust
from bol_service.cli.output import Stopped, json_option, say, show, wants_json
from bol_service.cli.voyage import Played, Voyage
from bol_service.client import Client, Refused, Unreachable

SEEDS = Path(__file__).resolve().parents[2] / "seeds" / "demo"
Json = dict[str, Any]
WIDTH = 164  # the time line is one table; a narrower terminal wraps it, a file keeps it

_seeds = click.option(
    "--seeds",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=SEEDS,
    help="Folder with voyage.json, parties.json and document.json.",
)


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    help="Where evidence and trust file are left.",
)
@_seeds
@json_option
def demo(out: Path, seeds: Path) -> None:
    """Play the voyage from Chongqing to Singapore, with its frauds, and verify it offline."""
    started = time.monotonic()
    platform = prepare_border(out / "platform", seeds, datetime.now(UTC))
    surprises: list[str] = []
    story: _CrossingStory | None = None
    try:
        platform.start()
        story = _CrossingStory(platform, surprises)
        story.play()
        evidence = story.keep_evidence(out)
    except (DemoFailed, Refused, Unreachable, NotSettled) as failure:
        surprises.append(str(failure))
        evidence = None
    finally:
        platform.stop()
    checks = _checks(out, evidence, surprises) if evidence is not None else {}
    seconds = round(time.monotonic() - started, 1)
    result = {
        "surprises": surprises,
        "checks": checks,
        "refusedFrauds": story.refused if story else 0,
        "ledger": story.ledger if story else None,
        "days": story.days if story else None,
        "seconds": seconds,
        "out": str(out),
    }
    show(result, lambda: _summary(result, evidence))
    if surprises:
        raise Stopped("The demonstration met a surprise", surprises[0], "Report it.", "surprise")


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8080,
    show_default=True,
    help="Port to serve on.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Where the platform lives; it is emptied first.",
)
@click.option("--serve/--no-serve", default=True, help="Leave the service up afterwards.")
@_seeds
@json_option
def seed(port: int, folder: Path, serve: bool, seeds: Path) -> None:
    """Make a demonstration platform with all data of the voyage, and leave it up."""
    platform = prepare(folder, seeds, datetime.now(UTC), port=port)
    try:
        platform.start()
        surprises: list[str] = []
        story = _Story(platform, surprises)
        story.play(quiet=True)
        if surprises:
            raise Stopped("The seed met a surprise", surprises[0], "Report it.", "surprise")
        write_trust(folder / "trust.json", platform.trust)
        value = {
            "url": platform.base_url,
            "origin": ORIGIN,
            "bill": story.voyage.bill,
            "keys": str(folder / "keys"),
            "passphrase": str(folder / "passphrase"),
        }
        show(value, lambda: _seeded(value))
        if serve:
            sys.stdout.flush()
            platform.wait()
    except KeyboardInterrupt:
        pass
    finally:
        platform.stop()


def _seeded(value: Json) -> None:
    say(f"The platform is up at {value['url']} (demonstration, no legal effect).")
    say(f"  API description: {value['url']}/docs")
    say(f"  Bill: {value['bill']}")
    say(f"  Act as a party, for example as the buyer:  export BOL_URL={value['url']} \\")
    say(f"    BOL_ORIGIN={ORIGIN} BOL_PARTY=straits BOL_KEY=file:{value['keys']}/straits.pem \\")
    say(f"    BOL_KEY_PASSPHRASE_FILE={value['passphrase']}; bol bill list")
    say("  Ctrl-C stops it.")


class _Story:
    """The voyage with what the time line shows beside each act."""

    def __init__(self, platform: DemoPlatform | DemoBorder, surprises: list[str]) -> None:
        self.voyage: Voyage = platform.voyage()
        self._surprises = surprises
        self._console = Console(width=WIDTH, highlight=False)
        self.refused = 0
        self.ledger: Json | None = None
        self._received: datetime | None = None
        self.days: int | None = None

    def play(self, *, quiet: bool = False) -> None:
        quiet = quiet or wants_json()
        self.voyage.open()
        table = _timeline()
        for line in self.voyage.play():
            if not line.as_expected:
                self._surprises.append(
                    f"step {line.step}: {line.actor} {line.action} came out as {line.result}, "
                    f"expected {line.expected}"
                )
            self._measure(line)
            self.refused += line.as_expected and line.result not in ("recorded", "release")
            if not line.background and not quiet:
                table.add_row(*self._row(line))
        if not quiet:
            self._console.print(table)

    def _measure(self, line: Played) -> None:
        """Days from the receipt of the cargo to the gate-out of its last container."""
        if line.background or line.result != "recorded":
            return
        if line.action == "GATE_IN" and self._received is None:
            self._received = line.at
        if line.action == "GATE_OUT" and self._received is not None:
            self.days = (line.at - self._received).days

    def _row(self, line: Played) -> tuple[Text | str, ...]:
        holder, title, place = self._state()
        recorded = line.result in ("recorded", "release")
        mark = Text("✓ " if line.as_expected else "✗ ", "green" if line.as_expected else "bold red")
        mark.append(line.result if recorded else f"refused: {line.result}")
        act = Text(f"{line.en}\n{line.zh}  ").append(line.action, "dim")
        return line.step, f"{line.at:%m-%d %H:%M}", line.actor, act, mark, holder, title, place

    def _state(self) -> tuple[str, str, str]:
        """Holder, title and custody as the carrier sees them; dashes before the bill exists."""
        try:
            bill = self._bill()
        except (KeyError, Refused):
            return "–", "–", "–"
        control = bill["control"]
        places = sorted({box["place"] for box in bill["custody"]})
        return control["possessor"], control["titleHolder"] or "in blank 空白", " / ".join(places)

    def _bill(self) -> Json:
        client: Client = self.voyage.clients["xlsc"]
        bill: Json = client.get(f"/v1/bills/{self.voyage.bill}")
        return bill


class _CrossingStory(_Story):
    """The voyage of two platforms: holder and title are told by the one that has the original."""

    voyage: BorderVoyage

    def __init__(self, platform: DemoBorder, surprises: list[str]) -> None:
        super().__init__(platform, surprises)
        self._platform = platform

    def _bill(self) -> Json:
        bill = super()._bill()
        if bill["status"] == "MOVED" and (abroad := self.voyage.bill_abroad()) is not None:
            bill["control"] = abroad["control"]
        return bill

    def keep_evidence(self, out: Path) -> Path:
        """The carrier's evidence and the trust file, in `out`; the buyer's from Singapore beside
        them, in a folder of its own."""
        home = self._kept(out, self.voyage.home.clients["xlsc"], self._platform.home)
        self._kept(out / "singapore", self.voyage.abroad.clients["straits"], self._platform.abroad)
        note = self._cosigned(self.voyage.home.clients["xlsc"]).split("\n")
        self.ledger = {"origin": note[0], "size": int(note[1]), "root": note[2]}
        return home

    def _kept(self, out: Path, client: Client, platform: DemoPlatform) -> Path:
        out.mkdir(parents=True, exist_ok=True)
        for old in out.glob("*.ebl.json"):
            old.unlink()
        self._cosigned(client)
        content = client.fetch(f"/v1/bills/{self.voyage.bill}/evidence").content
        path = out / "XLSC2703CQSG00418.ebl.json"
        path.write_bytes(content)
        write_trust(out / "trust.json", platform.trust)
        return path

    def _cosigned(self, client: Client) -> str:
        """The log's checkpoint, once the other platform has cosigned it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            note = client.fetch("/ledger/checkpoint").content.decode("utf-8")
            if note.count("\n\u2014 ") > 1:
                return note
            if time.monotonic() > deadline:
                raise NotSettled("the other platform has not cosigned; see its server.log")
            time.sleep(0.1)


def _timeline() -> Table:
    table = Table(
        title="Chongqing – Qinzhou – Singapore  重庆 – 钦州 – 新加坡",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    widths = {
        "Step": 5,
        "UTC+8 时间": 12,
        "Actor 当事人": 12,
        "Act 行为": 50,
        "Result 结果": 26,
        "Holder 持有人": 14,
        "Title 指示人": 14,
        "Custody 保管": 22,
    }
    for name, width in widths.items():
        table.add_column(name, width=width, overflow="fold")
    return table


# -- offline checks ------------------------------------------------------------------------------


def _checks(out: Path, evidence: Path, surprises: list[str]) -> dict[str, int]:
    """Verify the evidence as a stranger would, each time with `bol verify` in its own process."""
    trust = out / "trust.json"
    abroad = out / "singapore"
    flipped = out / "platform" / "one-byte-flipped.ebl.json"
    content = bytearray(evidence.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(bytes(content))
    wanted: dict[str, tuple[int, Callable[[], int]]] = {
        "verifies offline": (0, lambda: _verify(evidence, trust)),
        "and so does Singapore's": (
            0,
            lambda: _verify(abroad / evidence.name, abroad / "trust.json"),
        ),
        "cannot say without a trust file": (3, lambda: _verify(evidence, None)),
        "one flipped byte is detected": (1, lambda: _verify(flipped, trust)),
    }
    results = {}
    for name, (expected, run) in wanted.items():
        results[name] = run()
        if results[name] != expected:
            surprises.append(f"{name}: exit code {results[name]}, expected {expected}")
    return results


def _verify(path: Path, trust: Path | None) -> int:
    command = [sys.executable, "-m", "bol_service", "verify", str(path)]
    if trust is not None:
        command += ["--trust", str(trust)]
    environment = {name: value for name, value in os.environ.items() if name[:4] != "BOL_"}
    done = subprocess.run(  # noqa: S603 - our own program
        command, env=environment, capture_output=True, check=False
    )
    return done.returncode


def _comparison(result: Json) -> list[str]:
    ledger = result["ledger"] or {"size": 0, "root": "none"}
    return [
        f"  {result['refusedFrauds']} frauds and mistakes refused 已拒绝欺诈与差错",
        f"  {ledger['size']} entries in the ledger, root {ledger['root']} 账本根",
        "",
        "  from receipt at Guoyuan to gate-out in Singapore 从果园港收货到新加坡提离:",
        f"    this bill 本提单: {result['days']} days 天",
        "    the papers of a paper bill alone 仅纸质提单流转: 9 to 16 days 9至16天",
    ]


def _summary(result: Json, evidence: Path | None) -> None:
    for name, code in result["checks"].items():
        say(f"  {name}: exit code {code}")
    if evidence is not None:
        say()
        for sentence in _comparison(result):
            say(sentence)
        say()
        say("Check it yourself:")
        say(f"  .venv/bin/bol verify {evidence} --trust {evidence.parent / 'trust.json'}")
    verdict = "met a surprise" if result["surprises"] else "went as written"
    say(f"The voyage {verdict}, in {result['seconds']} seconds.")
    for surprise in result["surprises"]:
        say(f"  ✗ {surprise}")
