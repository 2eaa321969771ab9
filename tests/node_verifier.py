"""The second engine, `verifier/`, run by Node over a batch of questions; both engines' answers."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bol_service.verification.report import Report
from bol_service.verification.trust import Trust, read_trust
from bol_service.verification.trust_problem import TrustError
from bol_service.verification.verifier import verify
from tests.trust_file import trust_value

Json = dict[str, Any]

ROOT = Path(__file__).parent.parent
RUNNER = ROOT / "verifier" / "node.mjs"
PAGE = ROOT / "bol_service" / "verification" / "offline" / "verifier.html"
LONGEST_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Question:
    """A file, what is trusted (None: nothing), and the time on the reader's clock."""

    name: str
    content: bytes
    trust: bytes | None
    now: datetime

    def line(self) -> Json:
        return {
            "bundle": base64.b64encode(self.content).decode(),
            "trust": None if self.trust is None else self.trust.decode(),
            "now": milliseconds(self.now),
        }


def ask(questions: Iterable[Any], *options: str, whole: bool = False) -> list[Any]:
    """One JSON line per question into one Node process; its lines as answers (`whole`: all that it
    prints is one)."""
    node = shutil.which("node")
    assert node is not None, "node is not installed; it is needed to run the offline verifier"
    lines = "".join(json.dumps(question) + "\n" for question in questions)
    done = subprocess.run(
        [node, str(RUNNER), *options],
        input=lines.encode(),
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    lines_out = [done.stdout] if whole else done.stdout.splitlines()
    return [json.loads(line) for line in lines_out]


def ours(question: Question) -> Json:
    """What the Python verifier says, in the words of the runner."""
    try:
        trust = None if question.trust is None else read_trust(question.trust)
    except TrustError:
        return {"trustError": True}
    return summary(verify(question.content, trust, question.now))


def theirs(questions: Sequence[Question], *options: str) -> list[Json]:
    return ask([question.line() for question in questions], "--cases", *options)


def summary(report: Report) -> Json:
    value = report.to_value()
    title = value.get("title")
    return {
        "verdict": str(value["verdict"]),
        "demo": report.demo,
        "findings": [
            [str(found.check), str(found.outcome), found.code] for found in report.findings
        ],
        "signed": [
            [act.index, str(act.action), act.actor, act.name, act.kid] for act in report.signed
        ],
        "title": title and {**title, "asOf": instant(datetime.fromisoformat(title["asOf"]))},
    }


def compared(questions: Sequence[Question]) -> tuple[list[Json], list[str]]:
    """Python's answers, and a line for each question to which the other engine says otherwise."""
    here, there = [ours(question) for question in questions], theirs(questions)
    assert len(there) == len(questions)
    pairs = zip(questions, here, there, strict=True)
    return here, [f"{asked.name}: {one} but {other}" for asked, one, other in pairs if one != other]


def trust_file(trust: Trust, **changes: Any) -> bytes:
    return json.dumps({**trust_value(trust), **changes}).encode()


def milliseconds(moment: datetime) -> int:
    return (moment - datetime.fromisoformat("1970-01-01T00:00:00Z")) // timedelta(milliseconds=1)


def instant(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
