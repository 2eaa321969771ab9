"""The newest checkpoint is in its file whole, wherever a crash cuts the writing of the next."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bol_service.storage.checkpoint_file import CheckpointFileError, FileCheckpoint, note_in

HALF = 4096


def note(size: int) -> str:
    return f"demo.cq.example/ebl\n{size}\nroot+of+{size}=\n\n— demo.cq.example/ebl sig{size}=\n"


@pytest.fixture
def kept(tmp_path: Path) -> FileCheckpoint:
    file = FileCheckpoint(tmp_path / "state")
    file.replace(note(1))
    file.replace(note(2))
    return file


def next_written(kept: FileCheckpoint, size: int) -> tuple[bytes, bytes, int]:
    """The file before and after the next checkpoint, and where the half that changed begins."""
    before = kept.path.read_bytes()
    kept.replace(note(size))
    after = kept.path.read_bytes()
    assert len(before) == len(after) == 2 * HALF
    start = 0 if before[:HALF] != after[:HALF] else HALF
    other = HALF - start
    assert before[other : other + HALF] == after[other : other + HALF]
    return before, after, start


def test_there_is_none_before_the_first(tmp_path: Path) -> None:
    assert FileCheckpoint(tmp_path / "state").read() is None


def test_each_that_was_kept_is_the_one_that_is_read(tmp_path: Path) -> None:
    for size in range(6):
        FileCheckpoint(tmp_path).replace(note(size))
        assert FileCheckpoint(tmp_path).read() == note(size)


def test_a_write_that_is_cut_anywhere_leaves_this_checkpoint_or_the_one_before(
    kept: FileCheckpoint,
) -> None:
    before, after, start = next_written(kept, 3)
    whole = HALF - 1  # the last byte ends a line in both
    for cut in range(whole):
        torn = before[:start] + after[start : start + cut] + before[start + cut :]
        assert note_in(torn) == note(2), cut
    assert note_in(after) == note(3)


def test_after_a_cut_write_the_next_goes_over_what_was_cut(kept: FileCheckpoint) -> None:
    before, after, start = next_written(kept, 3)
    kept.path.write_bytes(before[:start] + after[start : start + 700] + before[start + 700 :])
    restarted = FileCheckpoint(kept.path.parent)
    _, _, again = next_written(restarted, 4)
    assert again == start
    assert kept.read() == note(4)


def test_after_a_write_that_the_disk_did_not_take_the_next_goes_over_the_same_half(
    kept: FileCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", refuse)
        for size in (3, 4):
            with pytest.raises(CheckpointFileError, match="cannot be kept"):
                kept.replace(note(size))
            assert b"sig2" in kept.path.read_bytes(), "it is the last that is known to be there"
    kept.replace(note(5))
    assert kept.read() == note(5)
    assert b"sig2" in kept.path.read_bytes()


@pytest.mark.parametrize("length", [0, 1], ids=["of the same size", "of another size"])
def test_who_puts_another_file_in_its_place_finds_the_next_checkpoint_there(
    kept: FileCheckpoint, length: int
) -> None:
    other = kept.path.with_suffix(".copy")
    other.write_bytes(kept.path.read_bytes() + b"\n" * length)
    other.replace(kept.path)
    kept.replace(note(3))
    assert kept.read() == note(3)


def test_a_half_that_was_changed_anywhere_counts_for_nothing(kept: FileCheckpoint) -> None:
    content = kept.path.read_bytes()
    start = 0 if b"sig2" in content[:HALF] else HALF
    for at in range(start, start + HALF):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        assert note_in(changed) == note(1), at


def test_a_bare_note_is_read_and_gets_its_halves_with_the_next(tmp_path: Path) -> None:
    kept = FileCheckpoint(tmp_path)
    kept.path.write_text(note(7), encoding="utf-8")
    assert kept.read() == note(7)
    kept.replace(note(8))
    kept.replace(note(9))
    assert kept.path.stat().st_size == 2 * HALF
    assert kept.read() == note(9)


def test_the_file_can_be_read_by_people(kept: FileCheckpoint) -> None:
    lines = kept.path.read_text(encoding="utf-8").splitlines()
    assert {"demo.cq.example/ebl", "1", "2"} <= set(lines)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff no note", bytes(2 * HALF), bytes(2 * HALF + 1), b"a\n1\nb\n"],
    ids=["nothing", "no text", "two empty halves", "a byte more", "a note without signature"],
)
def test_what_is_not_one_of_ours_is_given_back_as_it_is(content: bytes) -> None:
    assert note_in(content) == content.decode(errors="replace")


def test_who_takes_the_file_away_gets_a_new_one(kept: FileCheckpoint) -> None:
    kept.path.unlink()
    kept.replace(note(3))
    assert kept.read() == note(3)


LONGEST = "x" * (HALF - len(f"{0:020d} {'0' * 64}\n") - 1) + "\n"


def test_the_longest_note_that_fits_leaves_the_other_half_whole(kept: FileCheckpoint) -> None:
    for text in (LONGEST, note(8), LONGEST):
        before = kept.read()
        kept.replace(text)
        assert kept.read() == text
        assert kept.path.stat().st_size == 2 * HALF
        assert before.encode() in kept.path.read_bytes()


@pytest.mark.parametrize("text", [f"x{LONGEST}", "no end"], ids=["too long", "without end"])
def test_a_note_that_does_not_fit_is_refused_and_nothing_is_lost(
    kept: FileCheckpoint, text: str
) -> None:
    with pytest.raises(ValueError, match="does not fit in 4096, or has no end"):
        kept.replace(text)
    assert kept.read() == note(2)


FILLING = """
import resource, sys
import subprocess
import sys
from pathlib import Path
from bol_service.storage.checkpoint_file import FileCheckpoint
kept = FileCheckpoint(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    kept.replace(sys.argv[2])
except OSError as error:
    print(error)
"""


def test_a_disk_that_takes_a_part_of_it_has_not_kept_it(tmp_path: Path) -> None:
    kept = FileCheckpoint(tmp_path)
    kept.path.write_text(note(7), encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", FILLING, str(tmp_path), note(8)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "5000 of 8192 bytes" in ran.stdout
    assert kept.read() == note(7)
