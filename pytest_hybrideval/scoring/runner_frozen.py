"""Classes by which code is tested, made immutable as those written in C are: their attributes cannot be replaced.

Part of the program `runner.py`. It runs before any tested code exists. Functions in modules cannot be made so: `Seal`
in `runner_child.py` finds those that are replaced and stay so.
"""

from __future__ import annotations

import ctypes
import sys
import unittest.case
from collections.abc import Iterable, Iterator
from types import ModuleType

_WORDS = 50  # of a class, in which to look for the flags
IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE, since Python 3.10
# What decides while a test's own code runs; the rest of pytest writes to classes of its own.
_MODULES = (
    *("_pytest.raises", "_pytest.approx", "_pytest.python_api", "_pytest.recwarn", "_pytest.outcomes"),
    *("_pytest.reports", "_pytest.runner", "_pytest._code.code", "pluggy._result", "unittest.case"),
)


def freeze(more: Iterable[ModuleType]) -> bool:
    """Make classes of pytest, unittest's cases and those of `more` immutable; False where it cannot."""
    offset = _offset_of_flags()
    if offset is None:
        return False
    for module in (*filter(None, map(sys.modules.get, _MODULES)), *more):
        for kind in _classes(module.__name__, vars(module).values()):
            flags = ctypes.c_ulong.from_address(id(kind) + offset)
            flags.value |= IMMUTABLE
    return True


def _classes(home: str, values: Iterable[object]) -> Iterator[type]:
    for value in tuple(values):
        if isinstance(value, type) and value.__module__ == home and value.__flags__ & IMMUTABLE == 0:
            yield value
            yield from _classes(home, vars(value).values())


class _One:
    """One of three classes with different flags."""


class _Two(int):
    """Another."""


def _offset_of_flags() -> int | None:
    """Where a class keeps its flags, found by looking for them; None where that is not the one place."""
    kinds = (_One, _Two, int, dict, BaseException, unittest.TestCase)
    if sys.implementation.name != "cpython" or ctypes.sizeof(ctypes.c_ulong) != ctypes.sizeof(ctypes.c_void_p):
        return None
    size = ctypes.sizeof(ctypes.c_ulong)
    found = [
        offset
        for offset in range(0, size * _WORDS, size)
        if all(ctypes.c_ulong.from_address(id(kind) + offset).value == kind.__flags__ for kind in kinds)
    ]
    return found[0] if len(found) == 1 else None
