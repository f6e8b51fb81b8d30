"""Tells what a piece of code touches outside of itself: files, sockets, processes, clock, environment, chance.

CPython's audit events tell of files, sockets and processes, its profiling hook of calls of built-in functions that read
the clock, draw by chance or start threads, and `os.environ` says that it is read. What happens while a module is
imported does not count.
"""

from __future__ import annotations

import gc
import os
import random
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from types import FrameType
from typing import Any

_AUDITED = {
    "open": "opens files",
    "os.": "uses the operating system",
    "shutil.": "opens files",
    "tempfile.": "opens files",
    "glob.": "reads folders",
    "pathlib.": "reads folders",
    "sqlite3.": "opens a database",
    "socket.": "uses sockets",
    "urllib.": "uses sockets",
    "http.": "uses sockets",
    "subprocess.": "starts processes",
    "pty.": "starts processes",
    "builtins.input": "reads standard input",
}
_CLOCKS = frozenset({"time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime"})
_OTHER_CLOCKS = frozenset({"localtime", "gmtime", "ctime", "sleep"})
_NO_CONTACT = frozenset(
    {"fspath", "_path_normpath", "_path_splitroot", "_path_splitroot_ex"}
)  # of the system's own module
_HOUSEKEEPING = ("asyncio", "logging")  # an event loop reads the clock, and so does whoever writes a log
_NO_FILE = re.compile(r"<.*>")  # the parser looks for a faulty line in the file, whatever the source's name
_IMPORTING = "<frozen importlib"

_seen: dict[int, list[str]] = {}
_hooked = threading.Event()


@contextmanager
def watching() -> Iterator[list[str]]:
    """What this thread touches while the block runs, in words, each once; the list fills as it happens."""
    if not _hooked.is_set():
        _hooked.set()
        sys.addaudithook(_audited)  # it stays for good, and does nothing while nobody watches
    seen = _seen[threading.get_ident()] = []
    profile, environs = sys.getprofile(), [os.environ, os.environb]
    for environ in environs:
        environ.__class__ = _WatchedEnviron
    collecting = gc.isenabled()
    gc.disable()  # what others have left behind would be closed here
    sys.setprofile(_profiled)
    try:
        yield seen
    finally:
        sys.setprofile(profile)
        if collecting:
            gc.enable()
        del _seen[threading.get_ident()]
        if not _seen:
            for environ in environs:
                environ.__class__ = _Environ


def _note(what: str) -> None:
    seen = _seen.get(threading.get_ident())
    if seen is not None and what not in seen and not _is_importing(sys._getframe(1)):
        seen.append(what)


def _audited(event: str, arguments: tuple[Any, ...]) -> None:
    if not _seen:
        return
    if event == "open" and _NO_FILE.fullmatch(str(arguments[0])):
        return
    what = next((what for prefix, what in _AUDITED.items() if event == prefix or event.startswith(prefix)), None)
    if what is not None:
        _note(f"{what} ({event}{_named(arguments)})")


def _named(arguments: tuple[Any, ...]) -> str:
    """The first argument, where it is a text such as a file's name."""
    return f" {arguments[0]!r}" if arguments and isinstance(arguments[0], str) else ""


def _profiled(frame: FrameType, event: str, called: Any) -> None:
    what = _contact(called) if event == "c_call" else ""
    if what and str(frame.f_globals.get("__name__")).partition(".")[0] not in _HOUSEKEEPING:
        _note(what)


def _contact(called: Any) -> str:
    """What calling a built-in function touches, empty where nothing."""
    module, name = getattr(called, "__module__", None), getattr(called, "__name__", "")
    owner = getattr(called, "__self__", None)
    if module == "time" and (name.removesuffix("_ns") in _CLOCKS or name in _OTHER_CLOCKS):
        return f"reads the clock (time.{name})"
    if name in ("now", "utcnow", "today") and isinstance(owner, type) and issubclass(owner, date):
        return f"reads the clock ({owner.__name__}.{name})"
    if module == "_thread" and name.startswith("start_"):
        return "starts threads"
    if module in ("posix", "nt") and name not in _NO_CONTACT:
        return f"uses the operating system (os.{name})"
    if owner is not None and owner is getattr(random, "_inst", None):
        return f"draws from the global random generator ({name})"
    return ""


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORTING):
            return True
        frame = frame.f_back
    return False


_Environ: Any = type(os.environ)


class _WatchedEnviron(_Environ):  # type: ignore[misc]
    """`os.environ` while somebody watches."""

    def __getitem__(self, key: Any) -> Any:
        _note(f"reads the environment ({key!r})")
        return super().__getitem__(key)

    def __setitem__(self, key: Any, value: Any) -> None:
        _note(f"changes the environment ({key!r})")
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        _note(f"changes the environment ({key!r})")
        super().__delitem__(key)

    def __iter__(self) -> Iterator[Any]:
        _note("reads the environment")
        return iter(super().__iter__())

    def __len__(self) -> int:
        _note("reads the environment")
        return int(super().__len__())
