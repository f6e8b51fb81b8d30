"""The beginning of a new task: a small whole one, to be replaced piece by piece."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pytest_hybrideval.core.domain import TaskClass
from pytest_hybrideval.core.errors import ConfigurationError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_MANIFEST = """\
# Every field: docs/tasks.md. For editors: hybrideval tasks schema > task.schema.json, and as the first line
# yaml-language-server: $schema=PATH/TO/task.schema.json
title: Count the words of a text
class: {task_class}
difficulty: easy
topics: [text]
instruction: |
  What is asked for, so that a competent developer gets it right without the tests. Every hidden test checks something
  that stands here or that this plainly implies.

  Write `{module}.py` with a function `{function}(text: str) -> int` that says how many words a text has. Words are
  parted by white space of any kind. An empty text has none. `report.py` shows how it is used.
files:
  create: [{module}.py]
  read_only: [report.py]
near_misses:
  counts-blanks: Counts the blanks and adds one, so that two blanks in a row make a word.
  empty-has-one: Says that an empty text has one word.
  single-line: Looks at the first line only.
"""

_REPORT = '''\
"""A line for each text: its words and its beginning."""

from __future__ import annotations

from {module} import {function}


def line(text: str) -> str:
    return f"{{{function}(text):5}}  {{text.strip()[:40]}}"
'''

_SOLUTION = '''\
"""The words of a text."""

from __future__ import annotations


def {function}(text: str) -> int:
    return len(text.split())
'''

_FLAWS = {
    "counts-blanks": ('    return text.count(" ") + 1 if text else 0', "Counts the blanks and adds one."),
    "empty-has-one": ("    return max(1, len(text.split()))", "Says that an empty text has one word."),
    "single-line": (r'    return len(text.partition("\n")[0].split())', "Looks at the first line only."),
}

_TESTS = '''\
"""The hidden tests: laid over the workspace's root, run by pytest with that root on sys.path."""

from __future__ import annotations

import pytest
from {module} import {function}


@pytest.mark.parametrize(("text", "words"), [("one", 1), ("one  two", 2), ("one\\ttwo\\nthree", 3)])
def test_words_are_parted_by_any_white_space(text: str, words: int) -> None:
    assert {function}(text) == words


@pytest.mark.parametrize("text", ["", " \\n "])
def test_a_text_without_words_has_none(text: str) -> None:
    assert {function}(text) == 0
'''

_INSTRUCTIONS = """\
# Instructions

What is asked for, so that a competent developer gets it right without the tests.

Write `{function}(text)` in `{module}.py`: it says how many words a text has. Words are parted by white space of any
kind. An empty text has none.
"""


def scaffold(parent: Path, name: str, task_class: str) -> Path:
    """Make the folder `parent/name` of a task of that class; the folder. It passes validation as it is.

    Raises `ConfigurationError` for a name or class that cannot be, and where the folder exists.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"'{name}' is no name for a task: lower-case words joined by '-', as d1-audit-log")
    known = [
        each.value for each in TaskClass if each is not TaskClass.TERMINAL
    ]  # Harbor's own, `harbor init` begins it
    if task_class not in known:
        raise ConfigurationError(f"--class {task_class}: there are {', '.join(known)}")
    folder = parent / name
    if folder.exists():
        raise ConfigurationError(f"{folder} exists already; choose another name")
    files = _puzzle(name) if task_class == TaskClass.PUZZLE.value else _native(name, task_class)
    for file, text in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _words(name: str) -> dict[str, str]:
    return {"module": name.replace("-", "_"), "function": "count_words"}


def _native(name: str, task_class: str) -> Mapping[str, str]:
    words = {**_words(name), "task_class": task_class}
    solution = _SOLUTION.format(**words)
    file = f"{words['module']}.py"
    return {
        "task.yaml": _MANIFEST.format(**words),
        "workspace/report.py": _REPORT.format(**words),
        f"hidden/test_{file}": _TESTS.format(**words),
        f"solution/{file}": solution,
        **{f"near_misses/{miss}/{file}": _with(solution, line) for miss, (line, _) in _FLAWS.items()},
    }


def _puzzle(name: str) -> Mapping[str, str]:
    words = _words(name)
    module, solution = words["module"], _SOLUTION.format(**words)
    config = {
        "authors": [],
        "files": {"solution": [f"{module}.py"], "test": [f"{module}_test.py"], "example": [".meta/example.py"]},
        "blurb": "Count the words of a text.",
        "custom": {"difficulty": "easy", "topics": ["text"]},
    }
    return {
        ".docs/instructions.md": _INSTRUCTIONS.format(**words),
        ".meta/config.json": json.dumps(config, indent=2) + "\n",
        ".meta/example.py": solution,
        f"{module}.py": "def count_words(text):\n    pass\n",
        f"{module}_test.py": _TESTS.format(**words),
        **{
            f".meta/near_misses/{miss}/{module}.py": f"# {flaw}\n{_with(solution, line)}"
            for miss, (line, flaw) in _FLAWS.items()
        },
    }


def _with(solution: str, line: str) -> str:
    return solution.replace("    return len(text.split())", line)
