"""The fresh folder of one scoring: made outside any checkout, filled by rule, removed whatever was left in it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_hybrideval.core.errors import SandboxError, TaskError


@dataclass(frozen=True)
class Scratch:
    """`folder` holds `root` (the files under test), `tmp` (for TMPDIR) and `home` (empty)."""

    folder: Path

    @property
    def root(self) -> Path:
        """Where the files under test lie."""
        return self.folder / "root"

    @property
    def tmp(self) -> Path:
        """The private folder for temporary files."""
        return self.folder / "tmp"

    @property
    def home(self) -> Path:
        """An empty home."""
        return self.folder / "home"


@contextmanager
def fresh_scratch() -> Iterator[Scratch]:
    """A new scratch folder, removed at the end. Raises `SandboxError` where it lies in a checkout, or stays."""
    folder = Path(tempfile.mkdtemp(prefix="hybrideval-score-")).resolve()
    try:
        checkout = next((parent for parent in folder.parents if (parent / ".git").exists()), None)
        if checkout is not None:
            raise SandboxError(f"temporary files lie in the checkout {checkout}; set TMPDIR to a folder outside of it")
        scratch = Scratch(folder)
        for made in (scratch.root, scratch.tmp, scratch.home):
            made.mkdir()
        yield scratch
    finally:
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder in which folders may be unreadable or nested without end. Raises `SandboxError` if it stays."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):
        # The tools walk by file descriptors: no path is too long for them, no nesting too deep.
        subprocess.run(["chmod", "-R", "u+rwx", str(folder)], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", str(folder)], capture_output=True, check=False)
    if folder.exists():
        raise SandboxError(f"the scratch folder {folder} cannot be removed; remove it by hand")


def place(source: Path, root: Path, name: str) -> None:
    """Copy a task's own file to `root/name`, over whatever is there, with its executable bit.

    Raises `SandboxError` where the file cannot be read, `TaskError` where `name` leads out of the folder.
    """
    try:
        with source.open("rb") as file:
            _write(file.read(), os.fstat(file.fileno()).st_mode, root, name)
    except OSError as problem:
        raise SandboxError(f"cannot lay down {name} from {source}: {problem}") from problem


def place_text(content: bytes, root: Path, name: str) -> None:
    """Write a file of ours to `root/name`, over whatever is there. Raises `TaskError` as `place` does."""
    _write(content, 0, root, name)


def take(source: Path, root: Path, name: str, most_bytes: int) -> str:
    """Copy a file the agent left to `root/name`; the reason, where it is refused, otherwise an empty text.

    Refused is all but a regular file of at most `most_bytes` that is reached without a symbolic link.
    """
    parts = len(PurePosixPath(name).parts)
    if any(part.is_symlink() for part in (source, *source.parents)[:parts]):
        return f"{name} is reached by a symbolic link"
    try:
        # Not to wait for a writer where it is a pipe; not to follow where it has become a link.
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as problem:
        return f"{name} cannot be read ({problem.strerror})"
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return f"{name} is not a regular file"
        if status.st_size > most_bytes:
            return f"{name} has {status.st_size} bytes, more than {most_bytes}"
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            _write(file.read(most_bytes), status.st_mode, root, name)
    finally:
        os.close(descriptor)
    return ""


def _write(content: bytes, mode: int, root: Path, name: str) -> None:
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts:
        raise TaskError(f"the file name {name!r} leads out of the task's folder")
    target = root / relative
    for parent in reversed(target.relative_to(root).parents):
        if (root / parent).is_file():
            (root / parent).unlink()
        (root / parent).mkdir(exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)
    target.write_bytes(content)
    target.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
