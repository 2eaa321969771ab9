"""What can go wrong with one piece of a module: the faults of each kind of node.

1. Comparisons: a boundary moves (`<` to `<=`), `==` becomes `!=`, `in` becomes `not in`.
2. Conditions: an `if` always or never holds (so every guard vanishes once), a `while` never runs,
   a filter lets everything pass, one side of `and` or `or` is dropped, `not` is dropped.
3. Values: a number moves by one, a truth value flips, a text grows, a member of an enumeration
   becomes its neighbour, a repetition in a pattern moves by one, an operator becomes its opposite.
4. Statements: a call, an assignment to a member, a `raise`, `break` or `continue` is left out;
   `return` returns None; an `except` catches nothing; a `case` never matches.
5. Tables: a row of a tuple, list, set or dict of a module, or of an `in (...)`, is left out.

A fault that another one of the list contains is not planted twice.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

Enums = dict[str, list[str]]

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_BOUNDARIES = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_OPPOSITES = {"any": "all", "all": "any", "min": "max", "max": "min"}
_REPETITION = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the walk is: names of classes and functions, and what stands above."""

    names: tuple[str, ...] = ()
    function_line: int | None = None
    statement: tuple[int, int] = (1, 1)
    parent: ast.AST | None = None
    assigned: tuple[str, ...] = ()
    body: int | None = None


def replacements(node: ast.AST, place: Place, enums: Enums) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            yield from _compare(node, place)
        case ast.BoolOp():
            yield from _bool_op(node)
        case ast.UnaryOp(op=ast.Not()) if not _is_condition(node, place):
            yield node.operand
        case ast.If() | ast.IfExp() | ast.While():
            yield from _condition(node)
        case ast.comprehension():
            for test in node.ifs:
                yield _copy(node, ifs=[other for other in node.ifs if other is not test])
        case ast.Constant():
            yield from (_copy(node, value=value) for value in _constants(node.value, place))
        case ast.BinOp():
            yield from _binary(node, place)
        case ast.Attribute(value=ast.Name(id=name)) if node.attr in enums.get(name, ()):
            members = enums[name]
            if len(members) > 1:
                neighbour = members[(members.index(node.attr) + 1) % len(members)]
                yield _copy(node, attr=neighbour)
        case ast.Name(id=name) if name in _OPPOSITES and isinstance(place.parent, ast.Call):
            yield _copy(node, id=_OPPOSITES[name])
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
            yield from _table(node, place)
        case ast.ExceptHandler():
            yield _copy(node, type=ast.Tuple(elts=[], ctx=ast.Load()))
        case ast.match_case(guard=None) if not _is_catch_all(node):
            yield _copy(node, guard=ast.Constant(value=False))
        case ast.stmt():
            yield from _statement(node, place)


def _copy(node: ast.AST, **changes: object) -> ast.AST:
    fields = {name: getattr(node, name) for name in node._fields if hasattr(node, name)}
    return ast.copy_location(type(node)(**{**fields, **changes}), node)


def _is_condition(node: ast.AST, place: Place) -> bool:
    """The whole test of an `if`, which holds always or never anyway."""
    return getattr(place.parent, "test", None) is node


def _compare(node: ast.Compare, place: Place) -> Iterator[ast.AST]:
    for index, op in enumerate(node.ops):
        if _is_condition(node, place) and len(node.ops) == 1 and not isinstance(op, _BOUNDARIES):
            continue
        opposite = _COMPARISONS[type(op)]()
        yield _copy(node, ops=[*node.ops[:index], opposite, *node.ops[index + 1 :]])


def _bool_op(node: ast.BoolOp) -> Iterator[ast.AST]:
    for dropped in node.values:
        kept = [value for value in node.values if value is not dropped]
        yield kept[0] if len(kept) == 1 else _copy(node, values=kept)


def _condition(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    yield _copy(node, test=ast.Constant(value=False))
    if not isinstance(node, ast.While):
        yield _copy(node, test=ast.Constant(value=True))


def _constants(value: object, place: Place) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        if value:
            yield value - 1
    elif isinstance(value, str):
        yield f"{value}~"
        if is_pattern(place.parent):
            yield from _patterns(value)
    elif isinstance(value, bytes):
        yield value + b"~"


def is_pattern(node: ast.AST | None) -> bool:
    """What the call `node` is given is a regular expression."""
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.")


def _patterns(pattern: str) -> Iterator[str]:
    for found in _REPETITION.finditer(pattern):
        for group in (1, 2):
            if not found[group]:
                continue
            for number in (int(found[group]) + 1, int(found[group]) - 1):
                if number >= 0 and not (group == 1 and found[2] and number > int(found[2])):
                    start, end = found.span(group)
                    yield f"{pattern[:start]}{number}{pattern[end:]}"


def _binary(node: ast.BinOp, place: Place) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.BitOr) and _is_type(node.left) and _is_type(node.right):
        if place.function_line is not None:
            yield from (node.left, node.right)
        return
    if type(node.op) in _ARITHMETIC:
        yield _copy(node, op=_ARITHMETIC[type(node.op)]())


def _is_type(node: ast.AST) -> bool:
    name = ast.unparse(node).split(" | ")[-1].split(".")[-1]
    return name[:1].isupper() or name in ("list", "dict", "str", "int", "bytes", "bool", "None")


def _table(node: ast.Tuple | ast.List | ast.Set | ast.Dict, place: Place) -> Iterator[ast.AST]:
    if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
        return
    if place.function_line is not None and not isinstance(place.parent, ast.Compare):
        return
    if isinstance(node, ast.Dict):
        for index in range(len(node.keys)):
            keys, values = node.keys[:], node.values[:]
            del keys[index], values[index]
            yield _copy(node, keys=keys, values=values)
        return
    for index in range(len(node.elts)):
        if len(node.elts) == 1 and isinstance(node, ast.Set):
            return  # an empty set has no literal
        yield _copy(node, elts=[*node.elts[:index], *node.elts[index + 1 :]])


def _is_catch_all(case: ast.match_case) -> bool:
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None


def _statement(node: ast.stmt, place: Place) -> Iterator[ast.AST]:
    parent = place.parent
    is_whole_guard = isinstance(parent, ast.If) and parent.body == [node] and not parent.orelse
    match node:
        case ast.Return(value=None) | ast.Raise() | ast.Break() | ast.Continue():
            if not is_whole_guard:
                yield ast.Pass()
        case ast.Return(value=value) if not _is_none(value):
            yield _copy(node, value=ast.Constant(value=None))
        case ast.Expr() | ast.AugAssign():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()


def _is_none(value: ast.AST | None) -> bool:
    return isinstance(value, ast.Constant) and (value.value is None or value.value is False)
