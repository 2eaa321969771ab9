"""Files verified in a process of their own, with bounds on time and memory.

The verifier computes for seconds on a file of many megabytes, and a print may hold much more than
its own size. Others wait for a release check meanwhile. So:

1. the file goes from the disk, where the upload put it, to the process; the service never holds it;
2. what comes back is the report, and the document if the file proves one;
3. at most `at_once` processes run; whoever waits longer than `PATIENCE` is told to return. They are
   bounded as those that print (`copy.apart`) and have no key or passphrase either.
4. `place` bounds how many large uploads lie on the disk.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import BoundedSemaphore
from typing import IO, Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from bol_service.copy.apart import bound_process, environment
from bol_service.copy.checking import CheckedApart, is_copy, no_evidence, verify_copy
from bol_service.copy.faults import Busy, NoEvidence, TooHeavy
from bol_service.copy.reading import attached_bundle
from bol_service.verification.bundle import MAX_BUNDLE_BYTES, BundleError, read_bundle
from bol_service.verification.report import Report, Verdict
from bol_service.verification.trust import Trust
from bol_service.verification.verifier import verify

PATIENCE: Final = 30.0
AT_ONCE: Final = 2
PLACES: Final = 4


class Checkers:
    """`at_once` processes, `places` large files on the disk."""

    def __init__(self, at_once: int = AT_ONCE, places: int = PLACES) -> None:
        self._free = BoundedSemaphore(at_once)
        self._places = BoundedSemaphore(places)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Room for one large upload; raises Busy."""
        with _taken(self._places):
            yield

    def checked(self, file: IO[bytes], trust: Trust, now: datetime) -> CheckedApart:
        """What is in `file` from its beginning, a bundle or a print; it has to lie on the disk.

        Raises Busy, and TooHeavy for a file that does not come to an end in the time it has.
        """
        file.seek(0)
        is_print = is_copy(file.read(5))
        try:
            with _taken(self._free):
                return _run(file, trust, now)
        except TooHeavy as error:
            if not is_print:
                raise
            # Nothing that we print is so heavy.
            report = no_evidence(trust, NoEvidence(str(error)))
            return CheckedApart(report=report, document=None, copied=False)


@contextmanager
def _taken(places: BoundedSemaphore) -> Iterator[None]:
    if not places.acquire(timeout=PATIENCE):
        raise Busy(f"no place became free in {PATIENCE:.0f} s; come back a little later")
    try:
        yield
    finally:
        places.release()


def _run(file: IO[bytes], trust: Trust, now: datetime) -> CheckedApart:
    file.flush()
    os.lseek(file.fileno(), 0, os.SEEK_SET)  # the process knows nothing of what is buffered here
    with tempfile.TemporaryFile() as told:
        _Pickler(told).dump((trust, now))
        told.seek(0)
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", __name__, str(told.fileno())],
                stdin=file,
                capture_output=True,
                timeout=PATIENCE,
                env=environment(),
                pass_fds=(told.fileno(),),
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TooHeavy(f"it took longer than {PATIENCE:.0f} s and was given up") from None
    if done.returncode != 0:
        raise TooHeavy(f"it took too much time or memory, or failed (exit {done.returncode})")
    found: CheckedApart = pickle.loads(done.stdout)  # noqa: S301 - of our own child
    return found


def public_key_of(der: bytes) -> PublicKeyTypes:
    return load_der_public_key(der)


class _Pickler(pickle.Pickler):
    """Public keys are told as DER; the library's objects cannot be handed over."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
            der = obj.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return public_key_of, (der,)
        return NotImplemented


# -- inside the process --------------------------------------------------------------------------


def main() -> None:
    """The file on stdin, trust and moment at the descriptor that the argument names."""
    bound_process()
    with os.fdopen(int(sys.argv[1]), "rb") as told:
        trust, now = pickle.load(told)  # noqa: S301 - of our own parent
    content = sys.stdin.buffer.read(MAX_BUNDLE_BYTES + 1)
    pickle.dump(_checked(content, trust, now), sys.stdout.buffer)


class _Here:
    """Opens prints in this process, which is bounded already."""

    def evidence(self, pdf: bytes, limit: int) -> bytes:
        return attached_bundle(pdf, limit)


def _checked(content: bytes, trust: Trust, now: datetime) -> CheckedApart:
    if not is_copy(content):
        report = verify(content, trust, now)
        return CheckedApart(report=report, document=_document(content, report), copied=False)
    found = verify_copy(content, trust, now, copies=_Here(), limit=MAX_BUNDLE_BYTES)
    document = _document(found.evidence or b"", found.report)
    return CheckedApart(report=found.report, document=document, copied=bool(found.evidence))


def _document(content: bytes, report: Report) -> bytes | None:
    """Of a genuine file only: nothing else has a form to rely on."""
    if report.verdict in (Verdict.NOT_GENUINE, Verdict.CANNOT_SAY):
        return None
    try:
        return read_bundle(content).document
    except BundleError:
        return None


if __name__ == "__main__":
    main()
