"""What a sandbox shows of the machine: a list of what is visible, not of what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_hybrideval.sandbox.process import Job

PRIVATE_TMP_BYTES = 64 << 20

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")

# Sources, and in many images of containers a checkout: nothing that a program needs in order to run.
_HIDDEN = ("/usr/src", "/usr/local/src")

# What programs need of /etc to link, to resolve names of users and hosts, and to know the time zone. No /etc/shadow,
# no keys, no configuration of services: as root the sandbox could read them.
_ETC = (
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "alternatives",
    "passwd",
    "group",
    "nsswitch.conf",
    "hosts",
    "services",
    "protocols",
    "localtime",
    "timezone",
    "mime.types",
    "ssl/openssl.cnf",
)


@dataclass(frozen=True)
class View:
    """What is shown, to be laid one over the other in this order; everything else is absent.

    `system` folders and files, read-only, and `links` (path -> target) are as on the host; `hidden` are folders in them
    that are empty; `read_only` paths are as on the host. `writable` folders are (path on the host, path inside); the
    command starts in the first of them. The `frozen` files, likewise pairs, lie in it and are read-only all the same.
    """

    system: tuple[Path, ...]
    links: tuple[tuple[Path, str], ...]
    hidden: tuple[Path, ...]
    read_only: tuple[Path, ...]
    writable: tuple[tuple[Path, Path], ...]
    frozen: tuple[tuple[Path, Path], ...]

    @property
    def start(self) -> Path:
        """Where the command starts."""
        return self.writable[0][1]


def view(job: Job) -> View:
    """The system's programs and libraries, what the job may read beside them, and the folders it may write."""
    system = [Path(name) for name in _SYSTEM]
    links = tuple((path, str(path.readlink())) for path in system if path.is_symlink())
    folders = [path for path in system if path.is_dir() and not path.is_symlink()]
    etc = [path for path in (Path("/etc", name) for name in _ETC) if path.exists()]
    hidden = tuple(path for path in map(Path, _HIDDEN) if path.is_dir() and not path.is_symlink())
    shown = (*folders, *(path for path, _ in links))
    others = [path for path in job.readable if not _below(path, shown) or _below(path, hidden)]
    start = job.shown_at or job.scratch
    return View(
        system=tuple(dict.fromkeys((*folders, *etc))),
        links=links,
        hidden=hidden,
        read_only=tuple(dict.fromkeys(_outermost(others))),
        writable=((job.scratch, start), *job.writable),
        frozen=tuple((path, start / path.relative_to(job.scratch)) for path in job.frozen),
    )


def _below(path: Path, tops: Sequence[Path]) -> bool:
    """Whether a path is one of these, or lies in one of them."""
    return any(path == top or top in path.parents for top in tops)


def _outermost(paths: Sequence[Path]) -> list[Path]:
    chosen = set(paths)
    return [path for path in paths if not any(parent in chosen for parent in path.parents)]
