"""Finds every place in a module where a small fault can be planted, and plants it.

Left alone, because no test should hold it still: text for people (every text and f-string with a
space or a character beyond ASCII in it, unless it is a pattern), docstrings, annotations,
decorators, `assert`, `strict=` of `zip`, and the names of codecs.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mutation_faults import Enums, Place, is_pattern, replacements

Step = tuple[str, int | None]

_SKIPPED_FIELDS = {"decorator_list", "annotation", "returns", "bases", "keywords_of_class"}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """`file` counts from the package bol_service; `change` reads before → after, numbered where a
    function has the same one twice; `function_line` is None for what runs at import; `body` is the
    line that runs when the `if` around the change holds."""

    file: str
    where: str
    change: str
    steps: tuple[Step, ...]
    variant: int
    lines: tuple[int, int]
    body: int | None
    function_line: int | None
    names: tuple[str, ...]

    @property
    def key(self) -> tuple[str, str]:
        return f"{self.file}:{self.where}", self.change


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
    for node, steps, place in _walk(ast.parse(file.read_bytes()), (), Place()):
        for variant, changed in enumerate(replacements(node, place, enums)):
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
                    body=_guarded(node, place),
                    function_line=place.function_line,
                    names=place.assigned,
                )
            )
    return found


def mutated(source: bytes, mutant: Mutant, enums: Enums) -> ast.Module:
    """The module's tree with that one fault; its lines stay where they were."""
    tree = ast.parse(source)
    for node, steps, place in _walk(tree, (), Place()):
        if steps == mutant.steps:
            changed = list(replacements(node, place, enums))[mutant.variant]
            _put(tree, steps, ast.copy_location(changed, node))
            return ast.fix_missing_locations(tree)
    raise LookupError(f"{mutant.key} is not in the source; it has changed since the list was made")


def _walk(
    node: ast.AST, steps: tuple[Step, ...], place: Place
) -> Iterator[tuple[ast.AST, tuple[Step, ...], Place]]:
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


def _at(node: ast.stmt, place: Place) -> Place:
    header = getattr(node, "test", None) or getattr(node, "iter", None) or node
    assigned = place.assigned
    if place.function_line is None and isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        assigned = (*assigned, *(ast.unparse(target) for target in targets))
    return Place(
        names=place.names,
        function_line=place.function_line,
        statement=(node.lineno, header.end_lineno or node.lineno),
        parent=place.parent,
        assigned=assigned,
    )


def _inside(node: ast.AST, field: str, place: Place) -> Place:
    names, line, assigned = place.names, place.function_line, place.assigned
    if isinstance(node, ast.ClassDef):
        names, assigned = (*names, node.name), (*assigned, node.name)
    elif isinstance(node, _Function) and field in ("body", "args"):
        names = (*names, node.name) if line is None else names
        if field == "body" and line is None:
            line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
        elif line is None:
            assigned = (*assigned, node.name)
    return Place(
        names=names,
        function_line=line,
        statement=place.statement,
        parent=node,
        assigned=assigned,
        body=_body(node, field, place),
    )


def _guarded(node: ast.AST, place: Place) -> int | None:
    return node.body[0].lineno if isinstance(node, ast.If | ast.match_case) else place.body


def _body(node: ast.AST, field: str, place: Place) -> int | None:
    if isinstance(node, ast.If):
        return node.body[0].lineno if field == "test" else None
    return None if isinstance(node, ast.stmt) else place.body


def _is_left_alone(node: ast.AST, place: Place) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert | ast.arg):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True  # a docstring, or the body of a protocol's method
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return True
    if isinstance(node, ast.Constant) and _is_codec_call(place.parent):
        return True
    return _is_for_people(node) and not is_pattern(place.parent)


def _is_codec_call(node: ast.AST | None) -> bool:
    """`"utf-8~"` names the same codec."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("encode", "decode")
    )


def _is_for_people(node: ast.AST) -> bool:
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.Constant) and _is_for_people(part) for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " " in node.value or not node.value.isascii()
    return False


def _lines(node: ast.AST, place: Place) -> tuple[int, int]:
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
