"""Frozen dataclasses, made without their `__init__`, which sets field by field past its own guard.

1. `replaced(value, name=new)` does what `dataclasses.replace` does, and the type checker takes it
   for that. It copies the fields as they are where the other hands all of them to `__init__`, which
   for a bill took as long as the rest of judging a transfer.
2. `made(kind, name=value, ...)` does what `kind(name=value, ...)` does, and is checked like it, if
   every field is given: defaults are not filled in.

Both are for values that do nothing when they are made, as all states of the law are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["made", "replaced"]

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import replace as replaced
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    T = TypeVar("T")

    def made(kind: Callable[P, T], /, *_: P.args, **fields: P.kwargs) -> T: ...

else:

    def made(kind: Any, /, **fields: Any) -> Any:
        """Raises TypeError unless there are as many fields as `kind` has."""
        if len(fields) != len(kind.__dataclass_fields__):
            wanted = ", ".join(kind.__dataclass_fields__)
            raise TypeError(f"{kind.__name__} has {wanted}; given are {', '.join(fields)}")
        fresh = object.__new__(kind)
        object.__setattr__(fresh, "__dict__", fields)
        return fresh

    def replaced(value: Any, /, **changes: Any) -> Any:
        """Raises TypeError for a name that `value` has not."""
        before = value.__dict__
        fields = before | changes
        if len(fields) != len(before):
            unknown = ", ".join(sorted(changes.keys() - before.keys()))
            raise TypeError(f"{type(value).__name__} has no {unknown}")
        fresh = object.__new__(type(value))
        object.__setattr__(fresh, "__dict__", fields)
        return fresh
