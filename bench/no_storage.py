"""`bol serve` with a recorder that stores nothing: what HTTP and signatures alone cost.

    python -m bench.no_storage serve --port 8080

The command, its server and its options are the real ones. Only `bootstrap.start` is exchanged, at
the moment the command imports it: nothing of the service is loaded earlier or later than usual,
which matters to a server that patches the standard library first.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

EXCHANGED = "bol_service.bootstrap"


class _Exchange(MetaPathFinder, Loader):
    """Finds `bootstrap` as ever, and wraps its `start` once it is loaded."""

    _real: Loader

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != EXCHANGED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.loader is not None
        self._real, spec.loader = spec.loader, self
        return spec

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        from bench.silent_recorder import silenced

        start = module.start
        module.start = lambda *given, **more: silenced(start(*given, **more))  # type: ignore[attr-defined]


sys.meta_path.insert(0, _Exchange())

if __name__ == "__main__":
    from bol_service.cli.main import main

    main()
