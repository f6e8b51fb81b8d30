"""The process that runs pytest over hidden tests, and with them the tested code.

Loaded by `runner.py` before it forks; it imports the standard library and pytest only. It sends messages through the
guard (`runner_guard.py`), one line `SIGNATURE JSON` each, as things happen: what was said cannot be unsaid. By `kind`:
`collected` (`ids`, and `names` of their functions by id), `problem` (`id`, `summary`, `text`: a collection error),
`started` (`id`), `ended` (`name` of a function: the test's own code reached its end), `phase` (`id`, `when`, `outcome`,
`seconds`, `summary`, `text`), `tampered` (`what`), `evidence` (`what`: tested code did what no solution has a reason to
do), `copied` (tests ran on in a forked copy of this process), `finished` (`code`: pytest's session ended), `returned`
(`code`: pytest.main returned).
"""

from __future__ import annotations

import builtins
import inspect
import os
import random
import sys
import unittest.case
from collections.abc import Callable, Generator, Iterator, Mapping
from operator import is_
from types import MappingProxyType, ModuleType
from typing import Any, NoReturn

import pytest

SUMMARY_CHARACTERS = 300
TEXT_CHARACTERS = 4000
TEXTS = 50
SHUFFLE = "HYBRIDEVAL_SHUFFLE"  # the environment's word for the seed of a random order; gone when tests run

OPTIONS = (
    "-c", os.devnull, "--noconftest", "--quiet", "--no-header", "--tb=short", "--color=no",
    "-p", "no:cacheprovider", "-p", "no:doctest", "-p", "no:junitxml", "-p", "no:pastebin", "-p", "no:faulthandler",
)  # fmt: skip

_KEPT = (property, staticmethod, classmethod)

Ask = Callable[[str, Any], None]


class Seal:
    """Remembers functions and classes of modules, and says which of them are no longer what they were.

    That no function's code is replaced is the guard's affair. It is asked after every test, so it keeps names and
    values side by side and compares them by identity in one sweep; only where something differs does it look for what.
    It holds its tools itself: builtins may be replaced, too.
    """

    def __init__(self) -> None:
        """Seal pytest, its plugin system, unittest's cases, the builtins and this module."""
        self._sealed: list[tuple[str, Mapping[str, Any], list[str], list[Any]]] = []
        self._all, self._map, self._is = all, map, is_
        self._tested: list[tuple[str, Mapping[str, Any], set[str]]] = []
        names = [name for name in sys.modules if name.partition(".")[0] in ("_pytest", "pluggy", "pytest")]
        for module in (*(sys.modules[name] for name in names), unittest.case, builtins):
            self.add(module)
        self._add_all(__name__, globals())

    def add(self, module: ModuleType) -> None:
        """Seal one more module."""
        self._add_all(module.__name__, vars(module))

    def add_tests(self, module: ModuleType) -> None:
        """Seal a module of tests, and the builtins' names in it: what stood there would be used in their place."""
        self.add(module)
        self._tested.append((module.__name__, vars(module), vars(builtins).keys() - vars(module).keys()))

    def broken(self) -> Iterator[str]:
        """The names of what has been replaced, removed, or put in a builtin's place."""
        for name, space, keys, values in self._sealed:
            if not self._all(self._map(self._is, self._map(space.get, keys), values)):
                yield from (
                    f"{name}.{key}" for key, value in zip(keys, values, strict=True) if space.get(key) is not value
                )
        for name, space, free in self._tested:
            yield from (f"{name}.{key}" for key in free & space.keys())

    def _add_all(self, name: str, space: Mapping[str, Any]) -> None:
        inner = isinstance(space, MappingProxyType) or name == "builtins"
        kept = [(key, value) for key, value in space.items() if isinstance(value, _KEPT) or callable(value)]
        if kept:
            self._sealed.append((name, space, [key for key, _ in kept], [value for _, value in kept]))
        for key, value in kept:
            if isinstance(value, type) and value.__module__ == name and not inner:
                self._add_all(f"{name}.{key}", vars(value))


class Recorder:
    """A pytest plugin that sends what happens, at once."""

    def __init__(self, ask: Ask, source: Any, texts: list[dict[str, bytes]]) -> None:
        """`ask` takes a request to the guard, see there; `texts` holds the hidden tests, and is emptied.

        `source` is the module `runner_source`.
        """
        self._ask = ask
        self._source = source
        self._held = texts
        self._seal: Seal | None = None
        self._texts = 0
        self._plugins: set[object] = set()
        self._problem = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Another order, where one is asked for: by a seed."""
        seed = os.environ.pop(SHUFFLE, "")
        if seed:
            random.Random(seed).shuffle(items)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Compile the tests and seal what there is: pytest has patched itself and no tested code has run."""
        texts = self._held.pop()
        self._ask("tests", (self._source.compile_tests(texts, session.config), texts))
        self._seal = Seal()
        self._plugins = set(session.config.pluginmanager.get_plugins())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
        """The lines of a test that failed are shown in the text of its failure."""
        if call.excinfo is None:
            return (yield)
        self._ask("show", None)
        try:
            return (yield)
        finally:
            self._ask("hide", None)

    def pytest_exception_interact(self, call: pytest.CallInfo[Any]) -> None:
        """Keep the cause of a collection error in one line: its report has only text."""
        if call.when == "collect" and call.excinfo is not None:
            error = call.excinfo.value
            cause = error.__cause__ or error
            # Pytest's own CollectError holds a whole traceback, whose last line is better.
            own = isinstance(cause, pytest.Collector.CollectError)
            self._problem = "" if own else f"{type(cause).__name__}: {cause}".splitlines()[0]

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A collection error; a module that skips itself is seen by its missing tests."""
        if report.failed:
            lines = [line[1:].strip() for line in report.longreprtext.splitlines() if line.startswith("E ")]
            summary = self._problem or (lines or report.longreprtext.strip().splitlines() or [""])[-1]
            self._ask("say", {"kind": "problem", "id": report.nodeid, **self._explained(summary, report.longreprtext)})

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """What will run. From here on the test modules are sealed too."""
        for module in {inspect.getmodule(getattr(item, "function", None)) for item in session.items}:
            if module is not None and self._seal is not None:
                self._seal.add_tests(module)
        self._check(session.config)
        names = {item.nodeid: getattr(getattr(item, "function", None), "__name__", "") for item in session.items}
        self._ask("say", {"kind": "collected", "ids": list(names), "names": names})

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins: where nothing follows, it is the one that hangs or ends the process."""
        self._ask("say", {"kind": "started", "id": nodeid})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of a test. A test that was expected to fail and passed has failed."""
        outcome: str = report.outcome
        if hasattr(report, "wasxfail"):
            outcome = "xfailed" if report.skipped else "failed"
        message = {"kind": "phase", "id": report.nodeid, "when": report.when, "outcome": outcome}
        explained = {}
        if outcome == "failed":
            crash = getattr(report.longrepr, "reprcrash", None)
            lines = (crash.message if crash else report.longreprtext).strip().splitlines()
            explained = self._explained(lines[0] if lines else "passed, although marked xfail", report.longreprtext)
        self._ask("say", {**message, "seconds": round(report.duration, 4), **explained})

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Look at the seal when the test's own patches are undone."""
        self._check(item.config)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Pytest reached its end."""
        self._check(session.config)
        self._ask("say", {"kind": "finished", "code": int(exitstatus)})

    def _explained(self, summary: str, text: str) -> dict[str, str]:
        self._texts += 1
        full = {"text": text[-TEXT_CHARACTERS:]} if self._texts <= TEXTS else {}
        return {"summary": summary[:SUMMARY_CHARACTERS], **full}

    def _check(self, config: pytest.Config) -> None:
        broken = next(self._seal.broken(), "") if self._seal is not None else "the session's start"
        strangers = set(config.pluginmanager.get_plugins()) - self._plugins
        if broken or strangers:
            self._ask("say", {"kind": "tampered", "what": broken or f"pytest's plugins ({len(strangers)} added)"})


def run(root: str, source: Any, texts: list[dict[str, bytes]], tests: list[str], ask: Ask) -> int:
    """Run pytest on the files `tests` in the folder `root`; pytest's exit code. For `texts` see `Recorder`."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    files = [os.path.join(root, name) for name in tests]
    return int(pytest.main([*OPTIONS, f"--rootdir={root}", *files], plugins=[Recorder(ask, source, texts)]))


def trusted_folders() -> list[str]:
    """Where code lies that is neither the solution's nor a test's: Python's own, installed packages, our own."""
    ours = os.path.dirname(os.path.dirname(__file__))
    return [os.path.dirname(os.__file__), os.path.dirname(os.path.dirname(pytest.__file__)), ours]


def main(job: dict[str, Any], parts: Any, pipe: int, secret: list[str]) -> NoReturn:
    """Run pytest on the job's `tests`; ends the process with pytest's exit code.

    `parts` are this program's modules; `secret` holds the key and is emptied: from here on only the guard has it.
    """
    leave, audit, root = os._exit, sys.audit, job["root"]
    texts = [{os.path.join(root, name): text.encode("latin-1") for name, text in job.pop("sources").items()}]
    hidden = [os.path.join(root, name) for name in job["hidden"]]
    place = parts.guard.Place(trusted_folders(), hidden, job["secrets"])
    parts.equal.watch(parts.guard.EVENT, texts[0], place.hidden)
    parts.guard.install(pipe, secret.pop(), place, main.__code__, parts)
    os.chdir(root)
    sys.path.insert(0, root)
    sys.argv = ["pytest"]

    def ask(kind: str, given: Any) -> None:
        audit(parts.guard.EVENT, kind, given)

    code = run(root, parts.source, texts, job["tests"], ask)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    ask("say", {"kind": "returned", "code": code})
    leave(code)
