"""Which tests to run under a mutant, the closest first.

1. Tests that reach its line: the `NARROWEST` that reach the fewest lines of all, then of each file
   in turn the narrowest. First come those of files that name its function, then, if the line is an
   `if`, those that reach what it guards.
2. What runs at import no test reaches, and a test that reads a table runs no line of its file:
   first come the tests of files that import the module and name the constant, class or function,
   then those that reach a line with that name, then those of files that import the module, then
   those that reach anything of it.
3. No more than `SECONDS_PER_MUTANT` and, where modules are imported anew, than `FILES_PER_MUTANT`:
   a mutant of what all tests use costs no whole run.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from mutation_operators import Mutant
from mutation_recording import Recording

SECONDS_PER_MUTANT = 12.0  # as recorded; a mutant that outlives them has survived
FILES_PER_MUTANT = 8
NARROWEST = 50  # they are quick; a file that has many of them would else wait for its turn
NAMES = "tests/spec/test_names.py"
"""Holds words, codes and numbers still that others know us by, whatever module they stand in."""


def _test_files(recording: Recording) -> list[tuple[list[str], str, set[str]]]:
    """Of each file its tests, its text and the modules that it imports itself."""
    tests: dict[str, list[str]] = defaultdict(list)
    for test in recording.reached:
        if test not in recording.failed:
            tests[test.partition("::")[0]].append(test)
    found = []
    for file, ids in tests.items():
        text = Path(file).read_text("utf-8")
        imported = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
                imported |= {f"{node.module}.{alias.name}" for alias in node.names}
        found.append((ids, text, imported))
    return found


def _foremost(importing: list[str], tests: list[str]) -> set[str]:
    """The file that freezes names; then, up to half, the first that import the module; the others
    are those that most of the tests are in, where a test that is named twice counts twice."""
    first = dict.fromkeys(test.partition("::")[0] for test in importing)
    files = {NAMES, *list(first)[: FILES_PER_MUTANT // 2]}
    for file, _ in Counter(test.partition("::")[0] for test in tests).most_common():
        if len(files) < FILES_PER_MUTANT:
            files.add(file)
    return files


class Reaching:
    def __init__(self, source: Path, recording: Recording) -> None:
        self._source, self._recording = source, recording
        self._by_line: dict[tuple[str, int], set[str]] = defaultdict(set)
        self._by_file: dict[str, set[str]] = defaultdict(set)
        self._width: dict[str, int] = {}
        failed = set(recording.failed)
        for test, files in recording.reached.items():
            self._width[test] = sum(map(len, files.values()))
            for file, lines in files.items() if test not in failed else ():
                self._by_file[file].add(test)
                for line in lines:
                    self._by_line[file, line].add(test)
        self._test_files = _test_files(recording)
        self._texts = {file: Path(file).read_text("utf-8").splitlines() for file in self._by_file}

    def at_import(self, mutant: Mutant) -> bool:
        lines = self._recording.at_import.get(str(self._source / mutant.file), set())
        return not lines.isdisjoint(range(mutant.lines[0], mutant.lines[1] + 1))

    def tests(self, mutant: Mutant) -> tuple[str, ...]:
        path = str(self._source / mutant.file)
        first, last = mutant.lines
        near = [self._on(path, range(first, last + 1))]
        if mutant.body is not None:
            near.insert(0, self._on(path, [mutant.body]))
        function = mutant.where.rpartition(".")[2]
        near.insert(0, near[-1] & self._importing(mutant, (function,)))
        if mutant.function_line is not None and not self.at_import(mutant):
            return self._affordable(self._ordered(near), None)
        importing = self._ordered([self._importing(mutant, mutant.names), self._importing(mutant)])
        far = self._ordered([self._naming(mutant.names), self._by_file[path]])
        frozen = [test for test in importing if test.startswith(NAMES)]
        ordered = [*frozen, *self._ordered(near), *importing, *far]
        return self._affordable(dict.fromkeys(ordered), _foremost(importing, ordered))

    def _ordered(self, groups: list[set[str]]) -> list[str]:
        return [test for group in groups for test in self._in_turn(group)]

    def _in_turn(self, tests: set[str]) -> list[str]:
        ranked = sorted(tests, key=lambda test: (self._width[test], test))
        seen: Counter[str] = Counter()
        turns = []
        for test in ranked[NARROWEST:]:
            file = test.partition("::")[0]
            turns.append((seen[file], self._width[test], test))
            seen[file] += 1
        return [*ranked[:NARROWEST], *(test for *_, test in sorted(turns))]

    def _on(self, path: str, lines: Iterable[int]) -> set[str]:
        return set().union(*(self._by_line.get((path, line), set()) for line in lines))

    def _importing(self, mutant: Mutant, names: tuple[str, ...] = ()) -> set[str]:
        """Tests of files that import the module and hold one of the names."""
        module = f"{self._source.name}." + mutant.file.removesuffix(".py").replace("/", ".")
        return {
            test
            for tests, text, imported in self._test_files
            if module in imported and (not names or any(name in text for name in names))
            for test in tests
        }

    def _naming(self, names: tuple[str, ...]) -> set[str]:
        """Tests that reach a line with the name of the constant, class or function."""
        found: set[str] = set()
        for name in names[-1:]:
            for file, lines in self._texts.items():
                at = [number for number, text in enumerate(lines, 1) if name in text]
                found |= self._on(file, at)
        return found

    def _affordable(self, tests: Iterable[str], files: set[str] | None) -> tuple[str, ...]:
        kept: list[str] = []
        spent = 0.0
        for test in tests:
            if files is not None and test.partition("::")[0] not in files:
                continue
            cost = self._recording.seconds[test]
            if kept and spent + cost > SECONDS_PER_MUTANT:
                continue
            kept.append(test)
            spent += cost
        return tuple(kept)
