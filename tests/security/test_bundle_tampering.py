"""No byte of an evidence bundle can change unseen.

Every third byte of a minimal bundle, one bit flipped; a sample of the voyage's bundle. All bits of
all bytes of the one and all bytes of the other under the marker `torture`.

CANNOT SAY is allowed only where the flip makes another version or another origin of the file.
"""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

import pytest

from bol_service.crypto import base64url
from bol_service.verification.bundle import read_bundle
from bol_service.verification.report import Report, Verdict
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify
from tests import kit
from tests.bundle_case import MINIMAL_ENTRIES, Case

SHARDS = 4
EVERY = 3  # no divisor of the four letters of base64, so that each of them has its turn
SAMPLE, SEED = 150, 20270308


@pytest.fixture(scope="module")
def voyage(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Trust]:
    """The bundle of the whole voyage and the trust file of its platform."""
    with kit.platform(tmp_path_factory.mktemp("voyage")) as platform:
        story = platform.voyage()
        story.open()
        assert all(line.as_expected for line in story.play())
        content = platform.client("straits").fetch(f"/v1/bills/{story.bill}/evidence").content
        return content, platform.trust()


def flipped(content: bytes, position: int, bit: int) -> bytes:
    changed = bytearray(content)
    changed[position] ^= 1 << bit
    return bytes(changed)


def is_genuine(report: Report) -> bool:
    return report.verdict not in (Verdict.NOT_GENUINE, Verdict.CANNOT_SAY)


def unreadable_positions(content: bytes) -> set[int]:
    """Bytes that carry the version or the origin: the file's `v`, and in the statement's payload
    the base64 characters over the values of `v` and `origin`."""
    value = json.loads(content)
    payload = value["statement"].split(".")[1]
    start = content.index(payload.encode())
    text = base64url.decode(payload).decode()
    positions = {len(content) - 2}  # ..."v":1}
    for member in (f'"origin":"{value["checkpoint"].splitlines()[0]}"', '"v":1'):
        first, last = text.index(member), text.index(member) + len(member)
        positions |= set(range(start + first * 4 // 3 - 1, start + last * 4 // 3 + 2))
    return positions


def test_the_minimal_bundle_is_genuine_and_small(minimal: Case) -> None:
    report = minimal.judge(minimal.content)
    assert report.verdict is Verdict.CURRENT, report.findings
    assert len(read_bundle(minimal.content).entries) == MINIMAL_ENTRIES
    assert len(minimal.content) < 16_000


@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_third_byte_of_a_minimal_bundle_can_change(minimal: Case, shard: int) -> None:
    """In one bit, which goes with the position, so that all eight are covered."""
    content, step = minimal.content, SHARDS * EVERY
    excusable = unreadable_positions(content)
    for position in range(shard * EVERY, len(content), step):
        report = minimal.judge(flipped(content, position, (position // step + shard) % 8))
        if report.verdict is Verdict.CANNOT_SAY:
            assert position in excusable, (position, report.findings)
        else:
            assert report.verdict is Verdict.NOT_GENUINE, (position, report.verdict)


def test_no_sampled_bit_of_the_voyage_s_bundle_can_change(voyage: tuple[bytes, Trust]) -> None:
    content, trust = voyage
    now, chance = datetime.now(UTC), random.Random(SEED)
    assert verify(content, trust, now).verdict is Verdict.ENDED
    excusable = unreadable_positions(content)
    for _ in range(SAMPLE):
        position, bit = chance.randrange(len(content)), chance.randrange(8)
        report = verify(flipped(content, position, bit), trust, now)
        assert not is_genuine(report), (SEED, position, bit)
        assert report.verdict is Verdict.NOT_GENUINE or position in excusable


@pytest.mark.torture
def test_no_bit_of_a_minimal_bundle_can_change(minimal: Case) -> None:
    for position in range(len(minimal.content)):
        for bit in range(8):
            report = minimal.judge(flipped(minimal.content, position, bit))
            assert not is_genuine(report), (position, bit)


@pytest.mark.torture
def test_no_byte_of_the_voyage_s_bundle_can_change(voyage: tuple[bytes, Trust]) -> None:
    content, trust = voyage
    now = datetime.now(UTC)
    for position in range(len(content)):
        report = verify(flipped(content, position, position % 8), trust, now)
        assert not is_genuine(report), position
