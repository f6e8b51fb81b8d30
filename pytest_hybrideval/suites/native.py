"""Our own format: `task.yaml` beside `workspace/`, `hidden/`, `solution/` and `near_misses/`. See docs/tasks.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hybrideval.core.domain import NearMiss, Task, TaskClass
from pytest_hybrideval.core.errors import TaskError
from pytest_hybrideval.suites.folders import digest, files_below

if TYPE_CHECKING:
    from pytest_hybrideval.suites.manifest import TaskManifest

MANIFEST = "task.yaml"
PARTS = ("workspace", "hidden", "solution", "near_misses")


class NativeSuite:
    """Reads `task.yaml` folders."""

    def claims(self, folder: Path) -> bool:
        """A `task.yaml` with at least one of our folders beside it: the name alone is used by other tools too."""
        return (folder / MANIFEST).is_file() and any((folder / part).is_dir() for part in PARTS)

    def load(self, folder: Path) -> Task:
        """Read and check everything. Raises `TaskError` naming file and field."""
        from pytest_hybrideval.suites.manifest import read_manifest  # pydantic: only who has tasks pays for it

        manifest = read_manifest(folder / MANIFEST)
        workspace, hidden = files_below(folder / "workspace"), files_below(folder / "hidden")
        solution = files_below(folder / "solution")
        near_misses = tuple(
            NearMiss(name, flaw, files_below(folder / "near_misses" / name))
            for name, flaw in sorted(manifest.near_misses.items())
        )
        _check_files(folder, manifest, workspace, hidden)
        _check_overlays(
            folder, manifest, {"solution": solution} | {f"near_misses/{m.name}": m.files for m in near_misses}
        )
        _check_near_misses(folder, manifest)
        facts = manifest.model_dump(exclude={"title", "difficulty", "topics", "near_misses"})
        return Task(
            suite=folder.parent.name,
            name=folder.name,
            folder=folder,
            task_class=TaskClass(manifest.task_class),
            title=manifest.title,
            instruction=manifest.instruction.strip(),
            workspace=workspace,
            edit=manifest.files.edit,
            create=manifest.files.create,
            read_only=manifest.files.read_only,
            hidden=hidden,
            solution=solution,
            near_misses=near_misses,
            digest=digest(facts, (workspace, hidden, solution)),
            difficulty=manifest.difficulty,
            topics=manifest.topics,
            agent_seconds=manifest.limits.agent_seconds,
            scoring_seconds=manifest.limits.scoring_seconds,
        )


def _check_files(
    folder: Path, manifest: TaskManifest, workspace: Mapping[str, Path], hidden: Mapping[str, Path]
) -> None:
    where = folder / MANIFEST
    for field_name, expected in (("edit", True), ("read_only", True), ("create", False)):
        for name in getattr(manifest.files, field_name):
            if (folder / "workspace" / name).is_file() is not expected:
                state = "does not exist in" if expected else "exists already in"
                raise TaskError(f"{where}: field 'files.{field_name}': '{name}' {state} {folder / 'workspace'}")
    named = (*manifest.files.edit, *manifest.files.create, *manifest.files.read_only)
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise TaskError(f"{where}: field 'files': '{twice}' is named twice")
    allowed = (*manifest.files.edit, *manifest.files.create)
    if not any("/" not in name for name in allowed):
        # aider without git takes the common folder of its files for the root and would misplace everything else.
        raise TaskError(f"{where}: field 'files': at least one file of edit or create must lie in the workspace's root")
    if not workspace:
        raise TaskError(f"{folder / 'workspace'}: is missing or empty")
    if not hidden:
        raise TaskError(f"{folder / 'hidden'}: is missing or empty; without hidden tests nothing can be decided")


def _check_overlays(folder: Path, manifest: TaskManifest, overlays: Mapping[str, Mapping[str, Path]]) -> None:
    allowed = {*manifest.files.edit, *manifest.files.create}
    for name, files in overlays.items():
        if not files:
            raise TaskError(f"{folder / name}: is missing or empty")
        for file in files:
            if file not in allowed:
                raise TaskError(f"{folder / name / file}: is not in 'files.edit' or 'files.create' of {MANIFEST}")


def _check_near_misses(folder: Path, manifest: TaskManifest) -> None:
    if "solution" in manifest.near_misses:
        raise TaskError(
            f"{folder / MANIFEST}: field 'near_misses': 'solution' is the name of the reference; choose another"
        )
    parent = folder / "near_misses"
    there = {path.name for path in parent.iterdir() if path.is_dir()} if parent.is_dir() else set()
    for name in sorted(there - set(manifest.near_misses)):
        raise TaskError(f"{folder / MANIFEST}: field 'near_misses': says nothing of the folder {parent / name}")
