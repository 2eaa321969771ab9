"""The next value of a frozen dataclass.

`replaced(value, name=new)` does what `dataclasses.replace` does, and the type checker takes it for
that. It copies the fields as they are where the other hands all of them to `__init__`, which for a
bill took as long as the rest of judging a transfer. So it is for values that do nothing when they
are made, as all states of the law are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["replaced"]

if TYPE_CHECKING:
    from dataclasses import replace as replaced
else:

    def replaced(value: Any, /, **changes: Any) -> Any:
        """Raises TypeError for a name that `value` has not."""
        fields = value.__dict__
        if not changes.keys() <= fields.keys():
            unknown = ", ".join(sorted(changes.keys() - fields.keys()))
            raise TypeError(f"{type(value).__name__} has no {unknown}")
        fresh = object.__new__(type(value))
        fresh.__dict__.update(fields, **changes)
        return fresh
