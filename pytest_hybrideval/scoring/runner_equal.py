"""Finds objects that are equal to everything: what a test compares is compared with what it cannot be equal to.

Part of the program `runner.py`; it runs in the process of the tests, beside the guard.
"""

from __future__ import annotations

import os
import sys
import unittest
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from types import FunctionType, WrapperDescriptorType
from typing import Any

import pytest

EQUAL_EVENT = "hybrideval.equal"
_DEPTH, _ITEMS = 4, 200
_PYTEST = frozenset({"approx", "fail", "raises", "skip", "warns", "xfail"})
_PLAIN = frozenset({int, float, str, bytes, bool, complex, type(None)})
_CONTAINERS = (list, tuple, set, frozenset)


def watch(event: str, texts: Mapping[str, bytes], hidden: Collection[str]) -> None:
    """Look at all that asserts compare from now on. A find is said by the audit event `event`.

    `texts` are the hidden tests, `hidden` the paths of all hidden files: their own classes may be equal to anything.
    """
    spares_any = any(b"ANY" in text for text in texts.values())
    tools = [(name, value) for name, value in vars(pytest).items() if name in _PYTEST]
    looked_up = vars(pytest).get
    audit, getpid, owner = sys.audit, os.getpid, os.getpid()

    def hook(name: str, arguments: tuple[Any, ...]) -> None:
        if name == EQUAL_EVENT and getpid() != owner:
            audit(event, "copied")  # to find out by a fork what an assert would say of a guess
        elif name == EQUAL_EVENT and any(looked_up(tool) is not value for tool, value in tools):
            audit(event, "cheat", "it replaced a function of pytest while a test used it")
        elif name == EQUAL_EVENT and len(arguments) == 3 and arguments[0] is True:
            for one, other in (arguments[1:], arguments[:0:-1]):
                found = next((value for value in _own(one) if _equals_anything(value, other)), None)
                if found is not None and not _is_tests_own(found, hidden, spares_any):
                    audit(event, "cheat", f"{type(found).__name__} objects say that they are equal to anything")

    sys.addaudithook(hook)


def show_comparisons() -> None:
    """Make unittest's assertEqual and assertIn show what they compared, as rewritten asserts do."""
    unittest.TestCase.assertEqual = _showing(unittest.TestCase.assertEqual)  # type: ignore[method-assign]
    unittest.TestCase.assertIn = _showing(unittest.TestCase.assertIn)  # type: ignore[method-assign]


__unittest = True  # keeps the function below out of tracebacks, as unittest's own are


def _showing(check: Callable[..., None]) -> Callable[..., None]:
    audit = sys.audit

    def checked(self: unittest.TestCase, first: Any, second: Any, msg: Any = None) -> None:
        audit(EQUAL_EVENT, False, first, second)
        check(self, first, second, msg)
        audit(EQUAL_EVENT, True, first, second)

    checked.__name__ = check.__name__
    return checked


def _own(value: object, depth: int = _DEPTH) -> Iterator[object]:
    """The values in a value whose class decides by Python code what they are equal to; of large ones the first."""
    kind = type(value)
    if kind in _PLAIN or not depth:
        return
    if kind in _CONTAINERS:
        for item in islice(value, _ITEMS):  # type: ignore[call-overload]
            yield from _own(item, depth - 1)
    elif kind is dict:
        for item in islice(value.values(), _ITEMS):  # type: ignore[attr-defined]
            yield from _own(item, depth - 1)
    elif any(_is_unusual(vars(base).get("__eq__")) for base in type.mro(kind)):
        yield value


def _is_unusual(equal: object) -> bool:
    """Whether a class's `__eq__` is anything but what C code put there under that name."""
    return equal is not None and not (isinstance(equal, WrapperDescriptorType) and equal.__name__ == "__eq__")


def _is_tests_own(value: object, hidden: Collection[str], spares_any: bool) -> bool:
    """Whether it is the tests' own means: of a class of theirs, or mock.ANY where they speak of it."""
    mock = sys.modules.get("unittest.mock")
    if mock is not None and value is mock.ANY:
        return spares_any
    equal = getattr(type(value), "__eq__", None)
    return isinstance(equal, FunctionType) and equal.__code__.co_filename in hidden


def _equals_anything(value: object, other: object) -> bool:
    strangers = [object(), *_changed(other)]
    for stranger in strangers:
        try:
            if (value == stranger) is True:
                return True
        except Exception:  # whatever it raises, it does not say that it is equal
            continue
    return False


def _changed(value: Any) -> Iterator[object]:
    """Values like this one that nothing sensible is equal to beside it. None for a kind that cannot be changed so."""
    kind = type(value)
    if kind in (int, float):
        for changed in (value * 3 + 7919, value * 5 + 104729):
            if changed != value and changed - value == changed - value:
                yield changed
    elif kind is str:
        yield f"{value}\0\x01 unlike"
    elif kind is bytes:
        yield value + b"\0\x01 unlike"
    elif kind is list:
        yield [*value, object()]
    elif kind is tuple:
        yield (*value, object())
    elif kind is dict:
        yield {**value, object(): object()}
