"""The agent's folder holds what the task shows and nothing else, and lies where no checkout is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import make_task

from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.core.errors import ConfigurationError
from pytest_hybrideval.suites.staging import instruction, stage

SECRET = "nobody may see this"


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return make_task(
        tmp_path / "task",
        {"slug.py": "x = 1\n", "pkg/data/table.csv": "a,b\r\n", "NOTES.md": "Rules.\n"},
        {"slug.py": f"# {SECRET}\n", "new.py": f"# {SECRET}\n"},
        {"half": {"slug.py": f"# {SECRET}: half\n"}},
        hidden={"test_slug.py": f"# {SECRET}\n", "conftest.py": f"# {SECRET}\n"},
        read_only=("NOTES.md",),
    )


def laid_out(workspace: Path) -> dict[str, bytes]:
    return {str(path.relative_to(workspace)): path.read_bytes() for path in workspace.rglob("*") if path.is_file()}


def test_the_workspace_is_copied_byte_for_byte(task: Task, tmp_path: Path) -> None:
    stage(task, tmp_path / "run" / "workspace")
    assert laid_out(tmp_path / "run" / "workspace") == {
        "slug.py": b"x = 1\n",
        "pkg/data/table.csv": b"a,b\r\n",
        "NOTES.md": b"Rules.\n",
    }


def test_nothing_hidden_is_staged(task: Task, tmp_path: Path) -> None:
    (task.folder / ".env").write_text(SECRET, encoding="utf-8")
    (task.folder / "workspace" / "late.py").write_text(SECRET, encoding="utf-8")
    stage(task, tmp_path / "run" / "workspace")
    assert all(SECRET.encode() not in content for content in laid_out(tmp_path / "run").values())


def test_what_is_staged_are_copies_and_no_links(task: Task, tmp_path: Path) -> None:
    workspace = tmp_path / "run" / "workspace"
    stage(task, workspace)
    assert not any(path.is_symlink() for path in workspace.rglob("*"))
    (workspace / "slug.py").write_text("changed\n", encoding="utf-8")
    assert task.workspace["slug.py"].read_text(encoding="utf-8") == "x = 1\n"


def test_a_folder_that_exists_is_never_staged_into(task: Task, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(FileExistsError):
        stage(task, tmp_path / "run")


@pytest.mark.parametrize("depth", ["workspace", "a/b/workspace"])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_place_inside_a_git_checkout_is_refused(task: Task, tmp_path: Path, depth: str, kind: str) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    if kind == "folder":
        (checkout / ".git").mkdir()
    else:  # as in a worktree or a submodule
        (checkout / ".git").write_text("gitdir: /elsewhere\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"inside the git checkout {checkout}; set TMPDIR to a folder outside"):
        stage(task, checkout / depth)
    assert sorted(path.name for path in checkout.iterdir()) == [".git"]


def test_a_relative_place_inside_a_git_checkout_is_refused(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "checkout")
    with pytest.raises(ConfigurationError, match="git checkout"):
        stage(task, Path("workspace"))


def test_a_link_into_a_git_checkout_is_refused(task: Task, tmp_path: Path) -> None:
    """A process whose folder is reached by a link sees the folder's real parents."""
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    (tmp_path / "checkout" / "tmp").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "checkout" / "tmp")
    with pytest.raises(ConfigurationError, match="git checkout"):
        stage(task, tmp_path / "link" / "workspace")


def test_a_checkout_beside_the_workspace_is_no_obstacle(task: Task, tmp_path: Path) -> None:
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    stage(task, tmp_path / "run" / "workspace")
    assert os.listdir(tmp_path / "run") == ["workspace"]  # noqa: PTH208


def test_the_agent_is_told_the_task_and_which_files_count(task: Task) -> None:
    text = instruction(task)
    assert text.startswith(task.instruction)
    assert "`slug.py`, `new.py`" in text
    assert "NOTES.md" not in text
    assert SECRET not in text
