"""What a sandbox shows of the machine: a list of what is visible, not of what is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PRIVATE_TMP_BYTES = 64 << 20

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/gnu/store")

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
    """`read_only` paths and `links` (path -> target) are shown as on the host, everything else is absent.

    `writable` is the scratch folder; the files in `frozen` lie in it and are read-only all the same.
    """

    read_only: tuple[Path, ...]
    links: tuple[tuple[Path, str], ...]
    writable: Path
    frozen: tuple[Path, ...]


def view(scratch: Path, readable: Sequence[Path] = (), frozen: Sequence[Path] = ()) -> View:
    """The system's programs and libraries, `readable` beside them, and the scratch folder."""
    system = [Path(name) for name in _SYSTEM]
    links = tuple((path, str(path.readlink())) for path in system if path.is_symlink())
    folders = [path for path in system if path.is_dir() and not path.is_symlink()]
    etc = [path for path in (Path("/etc", name) for name in _ETC) if path.exists()]
    linked = {path for path, _ in links}
    others = [path for path in readable if not any(path == top or top in path.parents for top in (*folders, *linked))]
    return View(tuple(dict.fromkeys((*folders, *etc, *_outermost(others)))), links, scratch, tuple(frozen))


def _outermost(paths: Sequence[Path]) -> list[Path]:
    chosen = set(paths)
    return [path for path in paths if not any(parent in chosen for parent in path.parents)]
