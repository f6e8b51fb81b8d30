"""Prints what becomes of every cheat at every sandbox level that works here: `python perf/cheats.py [NAME...]`."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from pytest_hybrideval.core.errors import ConfigurationError, SandboxError
from pytest_hybrideval.sandbox.choice import choose
from pytest_hybrideval.scoring import HiddenTestScorer, Limits
from pytest_hybrideval.scoring.warm import choose_warm
from pytest_hybrideval.testing.cheats import cheat_task, cheats, fits, leave, named, surroundings

LEVELS = ("bubblewrap", "namespaces", "namespaces, warm", "docker", "none")
LIMITS = Limits(memory_bytes=512 << 20, processes=40, file_bytes=8 << 20)


def main(only: list[str]) -> int:
    """The table on standard output; how many cheats ended otherwise than they must."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        scorers = {}
        for level in LEVELS:
            name, _, warm = level.partition(", ")
            try:
                sandbox = choose_warm(name, sys.executable) if warm else choose(name)
            except ConfigurationError as problem:
                print(f"not here: {level}: {str(problem)[:100]}", file=sys.stderr)
                continue
            if sandbox is not None:
                scorers[level] = HiddenTestScorer(sandbox, LIMITS, None)
        task = cheat_task(Path(folder, "task"))
        print(f"| cheat | {' | '.join(scorers)} | what it tries |\n|---|{'---|' * len(scorers)}---|")
        for cheat in cheats():
            if only and cheat.name not in only:
                continue
            cells = []
            for level, scorer in scorers.items():
                with surroundings(task, Path(folder, "elsewhere"), f"cheat-{os.getpid()}") as facts:
                    produced = leave(cheat, Path(folder, "produced", cheat.name), facts)
                    try:
                        score = scorer.score(task, produced)
                        found, detail = named(score), score.detail
                    except SandboxError as problem:
                        found, detail = "error", str(problem)
                expected = cheat.expected(level)
                if not fits(found, expected):
                    wrong += 1
                    print(f"{cheat.name}, {level}: {found} instead of {expected}: {detail[:200]}", file=sys.stderr)
                cells.append(found)
            print(f"| {cheat.name} | {' | '.join(cells)} | {cheat.tries} |", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
