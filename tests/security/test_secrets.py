"""No private key ever reaches the service's disk, and none is in the repository.

After a whole voyage the database, its WAL, its backup and the state folder are searched for every
private key that took part, in every form in which a key is usually written down. The repository is
searched for anything that looks like a key or a secret.
"""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bol_service.crypto import base64url
from bol_service.crypto.signers import LocalSigner, PrivateKey
from tests import kit

ROOT = Path(__file__).parent.parent.parent
WRITTEN_BY_SERVICE = ("ledger.db", "ledger.db-wal", "ledger.db-shm", "state")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[kit.Platform, Path]]:
    """A platform that still runs, so that its WAL is there, after the whole voyage."""
    folder = tmp_path_factory.mktemp("secrets")
    with kit.platform(folder) as platform:
        story = platform.voyage()
        story.open()
        assert all(line.as_expected for line in story.play())
        platform.client("straits").fetch(f"/v1/bills/{story.bill}/evidence")
        yield platform, folder


def private_keys(platform: kit.Platform) -> dict[str, PrivateKey]:
    signers = {
        **platform.signers,
        "log key": platform.log_signer,
        "statement key": platform.statement_signer,
    }
    keys = {}
    for name, signer in signers.items():
        assert isinstance(signer, LocalSigner)
        keys[name] = signer._key
    return keys


def secret_number(key: PrivateKey) -> bytes:
    """The 32 bytes that are the key."""
    if isinstance(key, Ed25519PrivateKey):
        return key.private_bytes_raw()
    return key.private_numbers().private_value.to_bytes(32)


def spellings(key: PrivateKey) -> list[bytes]:
    raw = secret_number(key)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    body = b"".join(pem.splitlines()[1:-1])
    return [
        raw,
        raw[::-1],
        raw.hex().encode(),
        raw.hex().upper().encode(),
        base64url.encode(raw).encode(),
        base64url.encode(raw).replace("-", "+").replace("_", "/").encode(),
        str(int.from_bytes(raw)).encode(),
        der,
        body,
        pem.splitlines()[1],
    ]


def written_files(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in WRITTEN_BY_SERVICE:
        path = folder / name
        paths = [path] if path.is_file() else sorted(path.rglob("*"))
        found |= {str(one.relative_to(folder)): one.read_bytes() for one in paths if one.is_file()}
    return found


def assert_no_secret(platform: kit.Platform, contents: dict[str, bytes]) -> None:
    for owner, key in private_keys(platform).items():
        for spelling in spellings(key):
            held = [name for name, content in contents.items() if spelling in content]
            assert not held, f"{owner} lies in {held}"
    for name, content in contents.items():
        assert b"PRIVATE KEY" not in content, name
        assert kit.PASSPHRASE not in content, name


def test_the_search_finds_a_key_where_there_is_one(
    played: tuple[kit.Platform, Path], tmp_path: Path
) -> None:
    platform, _ = played
    for spelling in spellings(private_keys(platform)["xlsc"]):
        with pytest.raises(AssertionError, match="xlsc"):
            assert_no_secret(platform, {"leak": b"..." + spelling + b"..."})


def test_the_service_writes_no_private_key(played: tuple[kit.Platform, Path]) -> None:
    platform, folder = played
    contents = written_files(folder)
    assert {"ledger.db", "ledger.db-wal"} <= contents.keys()
    assert any(name.startswith("state") for name in contents)
    assert_no_secret(platform, contents)


def test_a_backup_holds_no_private_key(played: tuple[kit.Platform, Path], tmp_path: Path) -> None:
    platform, folder = played
    backup = tmp_path / "backup.db"
    with closing(sqlite3.connect(folder / "ledger.db")) as database:
        database.execute("VACUUM INTO ?", (str(backup),))
    content = backup.read_bytes()
    assert len(content) > 100_000
    assert_no_secret(platform, {"backup": content})


def test_the_database_holds_public_keys(played: tuple[kit.Platform, Path]) -> None:
    """The counter-proof that the search looks where the keys would be."""
    platform, folder = played
    contents = b"".join(written_files(folder).values())
    for signer in platform.signers.values():
        assert signer.public.kid.encode() in contents


def test_the_release_code_is_known_to_the_service_only_when_it_was_used(tmp_path: Path) -> None:
    """Until gate-out the carrier's event tells no more than the code's SHA-256."""
    with kit.platform(tmp_path) as platform:
        story = platform.voyage()
        story.open()
        for line in story.play():
            if line.action == "GATE_OUT" and line.step == "19":
                break
            code = str(story.saved["code"]).encode()
            contents = written_files(tmp_path)
        held = [name for name, content in contents.items() if code in content]
        assert not held


# -- the repository ------------------------------------------------------------------------------

SUSPICIOUS = re.compile(
    rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n[A-Za-z0-9+/=]"
    rb'|"d"\s*:\s*"[A-Za-z0-9_-]{43}"'
    rb"|AKIA[0-9A-Z]{16}"
    rb"|gh[pousr]_[A-Za-z0-9]{36}"
    rb"|xox[abprs]-[A-Za-z0-9-]{10}"
)
KEY_FILES = (".pem", ".key", ".p12", ".pfx", ".jks", ".kdbx", ".env", ".netrc", ".pgpass")


def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def test_no_key_file_is_committed() -> None:
    files = committed()
    assert files
    named = [path for path in files if path.name.endswith(KEY_FILES)]
    assert not named


def test_no_secret_is_committed() -> None:
    held = {
        str(path.relative_to(ROOT)): found[0][:40]
        for path in committed()
        if path.is_file() and (found := SUSPICIOUS.search(path.read_bytes()))
    }
    assert not held


@pytest.mark.parametrize(
    "text",
    [
        b"-----BEGIN " + b"PRIVATE KEY-----\nMC4CAQ",
        b"-----BEGIN ENCRYPTED " + b"PRIVATE KEY-----\nMIG",
        b'{"crv":"Ed25519","d":"' + b"A" * 43 + b'"}',
        b"AKIA" + b"A" * 16,
        b"ghp_" + b"a" * 36,
    ],
)
def test_the_scan_knows_a_secret_when_it_sees_one(text: bytes) -> None:
    assert SUSPICIOUS.search(text)
