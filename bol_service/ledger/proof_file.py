"""A `.tlog-proof` file: that an entry is in a log, checkable offline (C2SP tlog-proof v1).

    c2sp.org/tlog-proof@v1
    extra <base64>            only if there is any; nothing protects it
    index <decimal>
    <base64 of a hash>        the inclusion path, the leaf's sibling first
                              (an empty line)
    <the checkpoint with its cosignatures>

`verify` takes the leaf from whoever knows the entry: the file itself does not say what was logged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bol_service.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from bol_service.ledger.merkle import HASH_SIZE, verify_inclusion
from bol_service.ledger.note import NoteError, VerifierKey, from_base64, to_base64

MAGIC: Final = "c2sp.org/tlog-proof@v1"
MAX_PATH_LENGTH: Final = 63
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProofFile:
    """`checkpoint` is a whole signed note."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def text(self) -> str:
        lines = [MAGIC]
        if self.extra is not None:
            lines.append(f"extra {to_base64(self.extra)}")
        lines += [f"index {self.index}", *(to_base64(item) for item in self.path), ""]
        return "\n".join([*lines, self.checkpoint])


def parse_proof_file(text: str) -> ProofFile:
    """Raises NoteError."""
    head, separator, checkpoint = text.partition("\n\n")
    magic, *lines = head.split("\n")
    if magic != MAGIC or not separator:
        raise NoteError(f"a proof file begins with {MAGIC!r}, this one with {magic[:40]!r}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = from_base64(lines.pop(0).removeprefix("extra "))
    index = _INDEX.fullmatch(lines.pop(0)) if lines else None
    if index is None:
        raise NoteError("a proof file has a line: index <decimal>")
    path = tuple(from_base64(line) for line in lines)
    if len(path) > MAX_PATH_LENGTH or any(len(item) != HASH_SIZE for item in path):
        raise NoteError(f"a path has at most {MAX_PATH_LENGTH} hashes of {HASH_SIZE} bytes")
    return ProofFile(index=int(index[1]), path=path, checkpoint=checkpoint, extra=extra)


def verify(proof: ProofFile, leaf: bytes, vkeys: Sequence[VerifierKey]) -> SignedCheckpoint:
    """`leaf` is a leaf hash. Returns the checkpoint it rests on, for the caller's quorum. Raises
    NoteError for the checkpoint, ProofError for the inclusion."""
    signed = open_checkpoint(proof.checkpoint, vkeys)
    size, root = signed.checkpoint.size, signed.checkpoint.root
    verify_inclusion(leaf, proof.index, size, proof.path, root)
    return signed
