"""JavaScript exercises: whether this machine has what their hidden tests need."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

MODULES = "node_modules"
_NEEDED = ("jest", "babel-jest", "@babel/core", "@exercism/babel-preset-javascript")


@dataclass(frozen=True)
class Found:
    """The folder of modules that an exercise's tests use; None and the reason where something is missing."""

    modules: Path | None
    missing: str = ""


def look(folder: Path) -> Found:
    """Look for node, and for a `node_modules` at or above the exercise's folder, as node itself would."""
    if shutil.which("node") is None:
        return Found(None, "its hidden tests need node, which is not on PATH")
    modules = next(
        (parent / MODULES for parent in (folder, *folder.parents) if (parent / MODULES / "jest").is_dir()), None
    )
    track = folder.parents[2] if len(folder.parents) > 2 else folder
    install = f"cd {track} && npm install --no-save {' '.join(_NEEDED)} core-js"
    if modules is None:
        return Found(None, f"its hidden tests need jest, of which nothing is installed at or above it: {install}")
    gone = [name for name in _NEEDED if not (modules / name).is_dir()]
    return Found(None, f"{modules} has no {', '.join(gone)}: {install}") if gone else Found(modules)
