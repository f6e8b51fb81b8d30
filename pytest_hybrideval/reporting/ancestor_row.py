"""One row of hybrid-coding-eval's `raw.jsonl`, understood.

What its keys mean: `task_id` is SUITE/TASK; `category` the kind of task, a letter before version 1.4; `route` the
agent, a number (R1, R2, ...) before 1.4; `router_strategy` the strategy; `error` says that the row was skipped. The
tokens are in `ancestor_tokens`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_hybrideval.core.domain import ErrorKind, FailureMode, Outcome, TaskClass
from pytest_hybrideval.core.errors import RecordError

_KINDS = ("prompt", "completion")
_NESTED = {
    "tokens": {"cached", "reasoning", *(f"{part}{kind}" for part in ("", "local_", "cloud_") for kind in _KINDS)},
    "latency": {"wall_ms"},
    "quality": {"functional_pass", "tests_passed", "tests_total"},
    "routing": {"total_calls", "local_calls", "cloud_calls"},
}
_FLAT = {
    *("task_id", "category", "route", "router_strategy", "seed", "error", "schema_version", "version"),
    *("local_model_id", "cloud_model_id", "started_at", "finished_at", "output_ref"),
}

_SUITES = {"real-dev": "real_dev", "exercism-python": "exercism"}
_SUITE_OF_CATEGORY = {
    **dict.fromkeys(("D", "D1", "D2", "D3", "D4", "D5", "D6", "refactors", "real_dev", "real-dev"), "real_dev"),
    **dict.fromkeys(("X", "puzzles", "exercism", "exercism_python"), "exercism"),
}
_CLASSES = {
    **{kind.value: kind for kind in TaskClass},
    **dict.fromkeys(("A", "X", "puzzles", "exercism", "exercism_python"), TaskClass.PUZZLE),
    **dict.fromkeys(("B", "real-prs"), TaskClass.D2),
}
_AGENTS = {"R6": "mini-swe-agent", "R7": "aider", "R8": "opencode", "R9": "claude-code", "R10": "cline"}
_STRATEGIES = {
    *("always-cloud", "always-local", "cascade", "embedding-knn"),
    *("heuristic", "llm-classifier", "phase-aware", "rules"),
}
_FIXED = {"R1": "always-cloud", "R2": "always-local"}
_WITH_THRESHOLD = re.compile(r"(heuristic|cascade)[-@_](?:t|threshold-)?(\d+(?:\.\d+)?)")
_SWEEP = re.compile(r"(?:^|/)cascade-threshold-(\d+(?:\.\d+)?)/")
_VERSION = re.compile(r"v?1(?:\.[0-6](?:\.\d+)?)?")


class Row:
    """Typed access to a row's keys, dots between levels. What is absent or null is None, and noted in `missing`."""

    def __init__(self, where: str, data: Mapping[str, Any]) -> None:
        """`where` is FILE:LINE, for errors."""
        self.where = where
        self.missing: set[str] = set()
        self._data = data
        for name in _NESTED:
            if not isinstance(data.get(name) or {}, Mapping):
                raise self.error(name, "is not an object")

    def error(self, key: str, problem: str) -> RecordError:
        """An error that names file, line, key and value."""
        return RecordError(f"{self.where}: {key} {self.get(key)!r} {problem}")

    def get(self, key: str) -> Any:
        """The plain value, without a note."""
        name, _, inner = key.partition(".")
        value = self._data.get(name)
        return (value or {}).get(inner) if inner else value

    def noted(self, key: str) -> Any:
        """The plain value; noted where there is none."""
        value = self.get(key)
        if value is None:
            self.missing.add(key)
        return value

    def text(self, key: str) -> str:
        """A text; empty where there is none."""
        value = self.noted(key)
        if value is not None and not isinstance(value, str):
            raise self.error(key, "is not a text")
        return (value or "").strip()

    def count(self, key: str, *, note: bool = True) -> int | None:
        """A whole number, 0 or more."""
        value = self.noted(key) if note else self.get(key)
        if value is None:
            return None
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole or value < 0:
            raise self.error(key, "is not a whole number, 0 or more")
        return int(value)

    def unknown_keys(self) -> Iterator[str]:
        """The keys of which nothing is used."""
        for name, value in self._data.items():
            if name in _NESTED:
                yield from (f"{name}.{inner}" for inner in value or () if inner not in _NESTED[name])
            elif name not in _FLAT:
                yield name


def version(row: Row) -> str:
    """The schema version that the row names, empty where it names none (as the tool's own files do not)."""
    key = "version" if row.get("version") is not None and row.get("schema_version") is None else "schema_version"
    value = row.noted(key)
    if value is not None and not _VERSION.fullmatch(str(value)):
        raise row.error(key, "is not one of 1.0 to 1.6, which are understood")
    return "" if value is None else str(value)


def task(row: Row) -> tuple[str, str, TaskClass | None]:
    """Suite, name and class; the class is None where the category does not say one.

    The suite is the first part of the task's id, under our name for it; where the id has one part only, it follows
    from the category, or is its text.
    """
    given = row.text("task_id")
    if not given:
        raise row.error("task_id", "names no task")
    category = row.text("category")
    prefix, slash, rest = given.partition("/")
    name = (rest if slash else given).replace("/", "_")
    suite = _SUITES.get(prefix, prefix) if slash else _SUITE_OF_CATEGORY.get(category, category or "unknown")
    in_name = re.match(r"(d[1-6])-", name)
    if suite == "real_dev" and category not in _CLASSES and in_name:
        category = in_name[1].upper()
    return suite, name, _CLASSES.get(category)


def policy(row: Row, sweep: str) -> tuple[str, str, float | None]:
    """Agent, strategy and threshold.

    A threshold stands in the strategy's or the route's name (`cascade-15`), else in the folder of a threshold sweep
    (`.../cascade-threshold-15/...`): of the row's output, or `sweep`, the file's own. None where nothing says one.
    """
    route, given = row.text("route"), row.text("router_strategy")
    strategy, threshold = given or _FIXED.get(route, route), None
    if not strategy:
        raise row.error("router_strategy", "names no strategy, and there is no route either")
    in_route = _WITH_THRESHOLD.fullmatch(route)
    named = _WITH_THRESHOLD.fullmatch(strategy) or in_route
    folder = _SWEEP.search(str(row.get("output_ref") or "")) or _SWEEP.search(sweep)
    if named and given in ("", named[0], named[1]):
        strategy, threshold = named[1], float(named[2])
    elif strategy == "cascade" and folder:
        threshold = float(folder[1])
    return "" if in_route or route in _STRATEGIES else _AGENTS.get(route, route), strategy, threshold


def outcome(row: Row) -> tuple[Outcome, FailureMode | None, ErrorKind | None, str]:
    """Outcome with its cause. A row without a verdict of tests has none here either: it is an error, never dropped."""
    problem, passed = row.get("error"), row.noted("quality.functional_pass")
    if passed not in (None, True, False):
        raise row.error("quality.functional_pass", "is neither true nor false")
    if problem:
        text = " ".join(str(problem).split())
        return Outcome.ERROR, None, _error_kind(text), text
    if passed is None:
        return Outcome.ERROR, None, ErrorKind.INTERNAL, "the imported row has no functional_pass: no tests judged it"
    return (Outcome.PASSED, None, None, "") if passed else (Outcome.FAILED, FailureMode.TESTS_FAILED, None, "")


def _error_kind(text: str) -> ErrorKind:
    if text.startswith("agent_timeout"):
        return ErrorKind.TIMEOUT
    return ErrorKind.AGENT if re.search(r"_exit_-?\d+$|_not_installed$", text) else ErrorKind.INTERNAL


def seconds(row: Row) -> float:
    """The agent's wall time in seconds, 0 where the row does not say."""
    value = row.noted("latency.wall_ms")
    if value is None:
        return 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise row.error("latency.wall_ms", "is not a time in milliseconds")
    return float(value) / 1000
