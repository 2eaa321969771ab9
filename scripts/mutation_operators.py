"""Which small faults are planted in a module, one at a time.

1. Comparisons: a boundary moves (`<` to `<=`), `==` becomes `!=`, `in` becomes `not in`.
2. Conditions: an `if` always or never holds (so every guard vanishes once), a `while` never runs,
   a filter lets everything pass, one side of `and` or `or` is dropped, `not` is dropped.
3. Values: a number moves by one, a truth value flips, a text grows, a member of an enumeration
   becomes its neighbour, a repetition in a pattern moves by one, an operator becomes its opposite.
4. Statements: a call, an assignment to a member, a `raise`, `break` or `continue` is left out;
   `return` returns None; an `except` catches nothing; a `case` never matches.
5. Tables: a row of a tuple, list, set or dict of a module, or of an `in (...)`, is left out.

Left alone, because no test should hold it still: text for people (inside functions every text and
f-string with a space in it), docstrings, annotations, decorators, `assert`, `strict=` of `zip`.
A fault that another one of the list contains is not planted twice.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Step = tuple[str, int | None]
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
_SKIPPED_FIELDS = {"decorator_list", "annotation", "returns", "bases", "keywords_of_class"}
_REPETITION = re.compile(r"\{([0-9]+)(?:,([0-9]*))?\}")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """`file` counts from the package bol_service; `change` reads before → after, numbered where a
    function has the same one twice; `function_line` is None for what runs at import."""

    file: str
    where: str
    change: str
    steps: tuple[Step, ...]
    variant: int
    lines: tuple[int, int]
    function_line: int | None
    names: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        return f"{self.file}:{self.where}", self.change


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where the walk is: names of classes and functions, and what stands above."""

    names: tuple[str, ...] = ()
    function_line: int | None = None
    statement: tuple[int, int] = (1, 1)
    parent: ast.AST | None = None
    assigned: tuple[str, ...] = ()


def enumerations(files: list[Path]) -> Enums:
    """Each enumeration's members in order, by the name of its class."""
    found: Enums = {}
    for file in files:
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(b) for b in node.bases):
                found[node.name] = [
                    target.id
                    for line in node.body
                    if isinstance(line, ast.Assign)
                    for target in line.targets
                    if isinstance(target, ast.Name)
                ]
    return found


def mutants(root: Path, file: Path, enums: Enums) -> list[Mutant]:
    """All faults of one file, in the order of its text."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for node, steps, place in _walk(ast.parse(file.read_bytes()), (), _Place()):
        for variant, changed in enumerate(_replacements(node, place, enums)):
            where = ".".join(place.names) or "module"
            change = f"{_text(node)} → {_text(changed)}"
            seen[where, change] += 1
            if seen[where, change] > 1:
                change = f"{change} ({seen[where, change]})"
            found.append(
                Mutant(
                    file=file.relative_to(root).as_posix(),
                    where=where,
                    change=change,
                    steps=steps,
                    variant=variant,
                    lines=_lines(node, place),
                    function_line=place.function_line,
                    names=place.assigned,
                )
            )
    return found


def mutated(source: bytes, mutant: Mutant, enums: Enums) -> ast.Module:
    """The module's tree with that one fault; its lines stay where they were."""
    tree = ast.parse(source)
    for node, steps, place in _walk(tree, (), _Place()):
        if steps == mutant.steps:
            changed = list(_replacements(node, place, enums))[mutant.variant]
            _put(tree, steps, ast.copy_location(changed, node))
            return ast.fix_missing_locations(tree)
    raise LookupError(f"{mutant.key} is not in the source; it has changed since the list was made")


def _walk(
    node: ast.AST, steps: tuple[Step, ...], place: _Place
) -> Iterator[tuple[ast.AST, tuple[Step, ...], _Place]]:
    if _is_left_alone(node, place):
        return
    if isinstance(node, ast.stmt):
        place = _at(node, place)
    yield node, steps, place
    for field, value in ast.iter_fields(node):
        if field in _SKIPPED_FIELDS or (isinstance(node, ast.ClassDef) and field == "keywords"):
            continue
        inner = _inside(node, field, place)
        if isinstance(value, ast.AST):
            yield from _walk(value, (*steps, (field, None)), inner)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _walk(child, (*steps, (field, index)), inner)


def _at(node: ast.stmt, place: _Place) -> _Place:
    header = getattr(node, "test", None) or getattr(node, "iter", None) or node
    assigned = place.assigned
    if place.function_line is None and isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        assigned = (*assigned, *(ast.unparse(target) for target in targets))
    return _Place(
        names=place.names,
        function_line=place.function_line,
        statement=(node.lineno, header.end_lineno or node.lineno),
        parent=place.parent,
        assigned=assigned,
    )


def _inside(node: ast.AST, field: str, place: _Place) -> _Place:
    names, line, assigned = place.names, place.function_line, place.assigned
    if isinstance(node, ast.ClassDef):
        names, assigned = (*names, node.name), (*assigned, node.name)
    elif isinstance(node, _Function) and field in ("body", "args"):
        names = (*names, node.name) if line is None else names
        if field == "body" and line is None:
            line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        elif line is None:
            assigned = (*assigned, node.name)
    return _Place(
        names=names, function_line=line, statement=place.statement, parent=node, assigned=assigned
    )


def _is_left_alone(node: ast.AST, place: _Place) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert | ast.arg):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring, or the body of a protocol's method
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return True
    return place.function_line is not None and _is_for_people(node)


def _is_for_people(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) and _is_for_people(part) for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " " in node.value
    return False


def _lines(node: ast.AST, place: _Place) -> tuple[int, int]:
    first = getattr(node, "lineno", place.statement[0])
    if isinstance(node, ast.stmt):
        return place.statement
    return first, getattr(node, "end_lineno", None) or place.statement[1]


def _text(node: ast.AST) -> str:
    match node:
        case ast.Pass():
            return "nothing"
        case ast.ExceptHandler():
            return f"except {ast.unparse(node.type) if node.type else ''}"
        case ast.match_case():
            guard = f" if {ast.unparse(node.guard)}" if node.guard else ""
            return f"case {ast.unparse(node.pattern)}{guard}"
        case ast.If() | ast.While():
            return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
        case ast.comprehension():
            return "".join(f" if {ast.unparse(test)}" for test in node.ifs).strip() or "no filter"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 120 else f"{text[:90]} … {text[-25:]}"


def _put(tree: ast.AST, steps: tuple[Step, ...], changed: ast.AST) -> None:
    *before, (field, index) = steps
    parent = tree
    for name, at in before:
        value = getattr(parent, name)
        parent = value if at is None else value[at]
    if index is None:
        setattr(parent, field, changed)
    else:
        getattr(parent, field)[index] = changed


# -- the faults of each kind of node -----------------------------------------------------------


def _replacements(node: ast.AST, place: _Place, enums: Enums) -> Iterator[ast.AST]:
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


def _is_condition(node: ast.AST, place: _Place) -> bool:
    """The whole test of an `if`, which holds always or never anyway."""
    return getattr(place.parent, "test", None) is node


def _compare(node: ast.Compare, place: _Place) -> Iterator[ast.AST]:
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


def _constants(value: object, place: _Place) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        if value:
            yield value - 1
    elif isinstance(value, str):
        yield f"{value}~"
        parent = place.parent
        if isinstance(parent, ast.Call) and ast.unparse(parent.func).startswith("re."):
            yield from _patterns(value)
    elif isinstance(value, bytes):
        yield value + b"~"


def _patterns(pattern: str) -> Iterator[str]:
    for found in _REPETITION.finditer(pattern):
        for group in (1, 2):
            if not found[group]:
                continue
            for number in (int(found[group]) + 1, int(found[group]) - 1):
                if number >= 0 and not (group == 1 and found[2] and number > int(found[2])):
                    start, end = found.span(group)
                    yield f"{pattern[:start]}{number}{pattern[end:]}"


def _binary(node: ast.BinOp, place: _Place) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.BitOr) and _is_type(node.left) and _is_type(node.right):
        if place.function_line is not None:
            yield from (node.left, node.right)
        return
    if type(node.op) in _ARITHMETIC:
        yield _copy(node, op=_ARITHMETIC[type(node.op)]())


def _is_type(node: ast.AST) -> bool:
    name = ast.unparse(node).split(" | ")[-1].split(".")[-1]
    return name[:1].isupper() or name in ("list", "dict", "str", "int", "bytes", "bool", "None")


def _table(node: ast.Tuple | ast.List | ast.Set | ast.Dict, place: _Place) -> Iterator[ast.AST]:
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


def _statement(node: ast.stmt, place: _Place) -> Iterator[ast.AST]:
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
