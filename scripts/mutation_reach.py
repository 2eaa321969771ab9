"""Which tests to run under a mutant, the closest first.

1. Tests that reach its line: of each file in turn the one that reaches the fewest lines of all.
   If the line is an `if`, those come first that reach what it guards.
2. What runs at import no test reaches: then those that reach a line with the name of the constant,
   class or function, then those that reach anything of the file.
3. No more than `SECONDS_PER_MUTANT` and, where modules are imported anew, than `FILES_PER_MUTANT`:
   a mutant of what all tests use costs no whole run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from mutation_operators import Mutant
from mutation_recording import Recording

SECONDS_PER_MUTANT = 12.0  # as recorded; a mutant that outlives them has survived
FILES_PER_MUTANT = 8


def _foremost(tests: list[str]) -> set[str]:
    """The files that most of the tests are in; a test that is named twice counts twice."""
    counted = Counter(test.partition("::")[0] for test in tests)
    return {file for file, _ in counted.most_common(FILES_PER_MUTANT)}


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
        self._texts = {file: Path(file).read_text("utf-8").splitlines() for file in self._by_file}

    def at_import(self, mutant: Mutant) -> bool:
        lines = self._recording.at_import.get(str(self._source / mutant.file), set())
        return not lines.isdisjoint(range(mutant.lines[0], mutant.lines[1] + 1))

    def tests(self, mutant: Mutant) -> tuple[str, ...]:
        path = str(self._source / mutant.file)
        first, last = mutant.lines
        groups = [self._on(path, range(first, last + 1))]
        if mutant.body is not None:
            groups.insert(0, self._on(path, [mutant.body]))
        at_import = mutant.function_line is None or self.at_import(mutant)
        if at_import:
            groups.append(self._naming(mutant.names))
            groups.append(self._by_file[path])
        ordered = [test for group in groups for test in self._in_turn(group)]
        return self._affordable(dict.fromkeys(ordered), _foremost(ordered) if at_import else None)

    def _in_turn(self, tests: set[str]) -> list[str]:
        seen: Counter[str] = Counter()
        turns = []
        for test in sorted(tests, key=lambda test: (self._width[test], test)):
            file = test.partition("::")[0]
            turns.append((seen[file], self._width[test], test))
            seen[file] += 1
        return [test for *_, test in sorted(turns)]

    def _on(self, path: str, lines: Iterable[int]) -> set[str]:
        return set().union(*(self._by_line.get((path, line), set()) for line in lines))

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
