"""What is read off the files that an agent left."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import native_task, write_files

from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.scoring.evidence import changed_elsewhere, first_syntax_error
from pytest_hybrideval.suites.native import NativeSuite
from pytest_hybrideval.suites.staging import stage


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return NativeSuite().load(native_task(tmp_path))


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({}, ()),
        ({"slug.py": "x", "tables.py": "y"}, ()),
        ({"NOTES.md": "changed", "lib/new.py": "x"}, ("NOTES.md", "lib/new.py")),
        ({".aider.chat.md": "x", "__pycache__/slug.pyc": "x", "lib/__pycache__/x": "x"}, ()),
    ],
)
def test_only_changes_that_do_not_count_are_named(
    tmp_path: Path, task: Task, files: dict[str, str], named: tuple[str, ...]
) -> None:
    workspace = tmp_path / "workspace"
    stage(task, workspace)
    write_files(workspace, files)
    assert changed_elsewhere(task, workspace) == named


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def f():\n    return 1\n", ""),
        ("import nowhere\n'\\d'\n", ""),
        ("def f(:\n", "a.py, line 1: "),
        ("x = 1\n\n  y = 2\n", "a.py, line 3: unexpected indent"),
        ("x = '\x00'\n", "a.py"),
    ],
)
def test_the_first_place_that_does_not_parse_is_named(tmp_path: Path, text: str, told: str) -> None:
    files = write_files(tmp_path, {"run.sh": "if then", "a.py": text})
    found = first_syntax_error(files)
    assert found.startswith(told)
    assert bool(found) is bool(told)
