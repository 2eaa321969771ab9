"""Routes compiled once for all platforms of a process.

werkzeug writes and compiles two functions for each route of each application, which is more than
half of what starting a platform takes; the tests start some thousand of them, all with the same
routes. The functions say nothing of the application: they take its converters from the rule that
they are bound to.
"""

from __future__ import annotations

from collections.abc import Callable

from werkzeug.routing import Rule

_KNOWN: dict[object, Callable[..., tuple[str, str]]] = {}


def remember() -> None:
    """From now on, in this process."""
    compiled = Rule._compile_builder

    def remembered(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in _KNOWN:
            _KNOWN[key] = compiled(rule, append_unknown)
        return _KNOWN[key]

    Rule._compile_builder = remembered  # type: ignore[method-assign]
