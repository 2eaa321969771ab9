"""A folder of tiles under the paths of C2SP tlog-tiles, each file whole or not there."""

from __future__ import annotations

import os
from pathlib import Path


class TileFolder:
    """Implements `application.archiving.TileKeep`. Paths come from `ledger.tiles.Tile.path`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, path: str) -> bytes | None:
        try:
            return (self._folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, path: str, content: bytes) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f"{target.name}.new")
        with open(fresh, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, target)
