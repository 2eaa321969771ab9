"""The log's key is replaced: old checkpoints stay valid, and the old key signs no new one."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bol_service.application.audit import audit
from bol_service.application.startup import RollbackSuspected
from bol_service.crypto.keys import Algorithm
from bol_service.crypto.signers import generate, write_private_key
from bol_service.ledger.checkpoint import open_checkpoint
from bol_service.ledger.note import NoteError, VerifierKey
from bol_service.settings import SettingsError
from tests.neighbours import PASSPHRASE, Neighbour, neighbour

ORIGIN = "demo.rotating.example/ebl"
SIZE = 5


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Neighbour]:
    with neighbour(tmp_path / "cq", ORIGIN, entries=SIZE) as found:
        yield found


def rotate(platform: Neighbour, last: int) -> VerifierKey:
    """Retire the log's key after checkpoint `last`, and go on with a new one; the old key."""
    old, folder = platform.log_key, platform.settings.state_dir.parent
    write_private_key(folder / "log-2.pem", generate(Algorithm.ED25519), PASSPHRASE)
    retired = folder / "retired.txt"
    retired.write_text(f"# replaced in a drill\n{old.vkey} {last}\n", encoding="utf-8")
    platform.restart(log_key=f"file:{folder / 'log-2.pem'}", retired_log_keys=retired)
    return old


def notes(platform: Neighbour) -> dict[int, str]:
    found, size = {}, 1
    with platform.running.store.reading() as reading:
        while (row := reading.checkpoint(size)) is not None:
            found[row[0]] = row[1]
            size = row[0] + 1
    return found


def test_the_new_key_signs_on_and_the_old_checkpoints_stay(platform: Neighbour) -> None:
    old = rotate(platform, SIZE)
    platform.grow(2)

    for size, note in notes(platform).items():
        key = old if size <= SIZE else platform.log_key
        assert open_checkpoint(note, [key]).checkpoint.size == size
    assert audit(platform.running.store, [old, platform.log_key]).problems == []


def test_a_platform_starts_again_after_its_rotation(platform: Neighbour) -> None:
    rotate(platform, SIZE)
    platform.restart()
    platform.grow()
    platform.restart()

    assert platform.size == SIZE + 1


def test_a_new_key_without_the_retired_one_is_a_strangers(platform: Neighbour) -> None:
    folder = platform.settings.state_dir.parent
    write_private_key(folder / "log-2.pem", generate(Algorithm.ED25519), PASSPHRASE)
    good = platform.settings
    platform.stop()

    with pytest.raises(RollbackSuspected, match="cannot be trusted"):
        platform.start(log_key=f"file:{folder / 'log-2.pem'}")

    platform.start(log_key=good.log_key)


def test_what_the_old_key_signed_after_its_end_is_not_continued(platform: Neighbour) -> None:
    old_settings = platform.settings
    rotate(platform, SIZE)
    rotated = platform.settings
    platform.stop()
    platform.settings = old_settings  # a thief of the retired key, with access to the database
    platform.start()
    platform.grow()
    platform.stop()
    platform.settings = rotated

    with pytest.raises(RollbackSuspected, match="retired before"):
        platform.start()

    platform.settings = old_settings
    platform.start()


def test_a_last_size_below_what_the_retired_key_signed_is_noticed_later_too(
    platform: Neighbour,
) -> None:
    old = rotate(platform, SIZE)
    platform.grow(2)
    retired = platform.settings.retired_log_keys
    assert retired is not None
    platform.stop()
    retired.write_text(f"{old.vkey} {SIZE - 1}\n", encoding="utf-8")

    with pytest.raises(RollbackSuspected, match=f"retired of size {SIZE} is signed by .* retired"):
        platform.start()

    retired.write_text(f"{old.vkey} {SIZE}\n", encoding="utf-8")
    platform.start()


def test_a_database_older_than_the_rotation_is_not_continued(platform: Neighbour) -> None:
    good = platform.settings

    with pytest.raises(RollbackSuspected, match="is older than what was signed"):
        rotate(platform, SIZE + 1)

    platform.settings = good
    platform.start()


def test_a_restore_drill_with_a_key_that_never_signs_is_refused_for_the_sizes(
    platform: Neighbour, tmp_path: Path
) -> None:
    good, database = platform.settings, Path(str(platform.running.store.engine.url.database))
    platform.stop()
    yesterday = shutil.copy(database, tmp_path / "yesterday.db")
    platform.start()
    platform.grow(2)
    platform.stop()
    today = shutil.move(database, tmp_path / "today.db")
    shutil.copy(yesterday, database)

    told = f"file is of size {SIZE + 2}, the database has {SIZE} entries"
    with pytest.raises(RollbackSuspected, match=told):
        rotate(platform, SIZE + 2)

    shutil.copy(today, database)
    platform.settings = good
    platform.start()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param("{vkey}", "not a vkey, a blank and a size", id="no size"),
        pytest.param("{vkey} 05", "not a vkey, a blank and a size", id="a size with a zero before"),
        pytest.param("nothing 5", "line 1", id="no verifier key"),
        pytest.param("{vkey} 5", "retired twice, or signs now", id="the key that signs now"),
        pytest.param("{stranger} 5", "is no key of the log", id="another log's key"),
        pytest.param("{first} 5\n{second} 4", "is below 6", id="sizes that run backwards"),
        pytest.param("{first} 5\n{first} 9", "retired twice", id="one key twice"),
    ],
)
def test_a_list_of_retired_keys_that_cannot_be_is_refused(
    platform: Neighbour, tmp_path: Path, line: str, reason: str
) -> None:
    keys = {name: generate(Algorithm.ED25519).public_key() for name in ("first", "second")}
    own = {
        name: VerifierKey(name=ORIGIN, type=platform.log_key.type, public=key.public_bytes_raw())
        for name, key in keys.items()
    }
    stranger = VerifierKey(
        name="demo.other.example/ebl", type=platform.log_key.type, public=b"s" * 32
    )
    text = line.format(
        vkey=platform.log_key.vkey,
        stranger=stranger.vkey,
        **{name: key.vkey for name, key in own.items()},
    )
    path = tmp_path / "retired.txt"
    path.write_text(text, encoding="utf-8")
    platform.stop()

    with pytest.raises(SettingsError, match=reason):
        platform.start(retired_log_keys=path)

    platform.start(retired_log_keys=None)


def test_a_list_of_retired_keys_that_is_not_there_is_refused(
    platform: Neighbour, tmp_path: Path
) -> None:
    platform.stop()

    with pytest.raises(SettingsError, match="cannot be read"):
        platform.start(retired_log_keys=tmp_path / "nothing.txt")

    platform.start(retired_log_keys=None)


def test_the_old_key_does_not_open_a_new_checkpoint(platform: Neighbour) -> None:
    old = rotate(platform, SIZE)
    platform.grow()

    with pytest.raises(NoteError):
        open_checkpoint(notes(platform)[SIZE + 1], [old])
