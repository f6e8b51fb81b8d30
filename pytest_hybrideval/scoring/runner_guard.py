"""The guard in the process that runs hidden tests: an audit hook that no Python code can remove or look into.

Part of the program `runner.py`. It does two things. It alone holds the key without which the process that watches
believes no message, and sends only what comes from pytest's own frames, or, for the end of a test, from the very code
object that was compiled from the hidden test. And when tested code does what no solution of a task has a reason to do
(see `_rules`), it says so and ends the process, before that is done. The interpreter keeps its hooks where no reference
leads; the ways around that (`gc`, frames, `ctypes`, /proc/self/mem) are audit events themselves.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Callable, Collection, Sequence
from types import BuiltinMethodType, CodeType, FrameType, FunctionType
from typing import Any

try:
    from _lsprof import Profiler
except ImportError:  # a Python that was built without
    _PROFILERS: tuple[type, ...] = ()
else:
    _PROFILERS = (Profiler,)

EVENT = "hybrideval"
COPY = "copy"  # in the place of a message's number, where a forked process sends it
STOPPED = 86  # the exit code of a process that the guard has ended
_OURS = globals()
_MEMORY = re.compile(r"/proc/(self|thread-self|\d+)(/task/\d+)?/(mem|environ|root|cwd|pagemap|auxv)(/|$)")
_FRAMES = frozenset({"tb_frame", "gi_frame", "cr_frame", "ag_frame"})
_POINTERS = (
    "ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.cdata", "ctypes.string_at", "ctypes.wstring_at",
    "ctypes.PyObj_FromPtr", "ctypes.call_function", "ctypes.addressof",
)  # fmt: skip
_INTERPRETERS = frozenset({"_testcapi", "_testinternalcapi", "_xxsubinterpreters", "_interpreters", "_ctypes_test"})

_FRAME_OF_CALLER = sys.version_info < (3, 11)

Rule = Callable[[tuple[Any, ...], FrameType], str]


class Place:
    """Whose code is whose, by the file it was compiled from."""

    def __init__(self, trusted: Sequence[str], hidden: Collection[str], secrets: Collection[str]) -> None:
        """`trusted` are folders of Python, pytest and ourselves; `hidden` the hidden files; `secrets` closed ones."""
        self.trusted = tuple(os.path.join(folder, "") for folder in trusted)
        self.hidden = frozenset(hidden)
        self.secrets = frozenset(secrets)

    def trusts(self, filename: str) -> bool:
        """Whether code of that file is neither the solution's nor a test's. Code without a file is the solution's."""
        return filename.startswith(("<frozen ", *self.trusted))

    def stranger(self, frame: FrameType | None) -> FrameType | None:
        """The nearest frame that is not of trusted code; None where there is none or it is a hidden test's."""
        while frame is not None and self.trusts(frame.f_code.co_filename):
            frame = frame.f_back
        return None if frame is None or frame.f_code.co_filename in self.hidden else frame

    def is_strange(self, frame: FrameType) -> bool:
        """Whether this very frame is the solution's."""
        name = frame.f_code.co_filename
        return not self.trusts(name) and name not in self.hidden

    def leads_to(self, bottom: CodeType, frame: FrameType | None) -> bool:
        """Whether none but trusted frames and those of tests (subtests are reported from there) lie above `bottom`."""
        while frame is not None and frame.f_code is not bottom:
            name = frame.f_code.co_filename
            if not (self.trusts(name) or name in self.hidden):
                return False
            frame = frame.f_back
        return frame is not None


def install(pipe: int, key: str, place: Place, bottom: CodeType, parts: Any) -> None:
    """Stand guard from now on. Messages go to `pipe` under `key`; `bottom` is the code below which nothing is strange.

    `parts` are this program's modules. Requests come as `sys.audit(EVENT, ...)`: `"tests", (codes, texts)` (once),
    `"show"` and `"hide"` (the tests' lines), `"say", message`, `"ended", name`, `"cheat", what`, `"copied"`, and those
    of `runner_signals.py`.
    """
    write, encode, getframe, getpid, owner = os.write, json.JSONEncoder().encode, sys._getframe, os.getpid, os.getpid()
    leave, sign, secret, count = os._exit, hashlib.blake2b, bytes.fromhex(key), itertools.count()
    rules, source = _rules(place), parts.source
    answers = parts.signals.quieten(EVENT)
    genuine: list[CodeType] = []
    known: set[int] = set()
    texts: dict[str, bytes] = {}

    def emit(message: dict[str, Any]) -> None:
        # Signed with its number, and not sent with the key: the descriptor may have been turned to somewhere else.
        number = next(count) if getpid() == owner else COPY
        text = encode(message)
        line = f"{sign(f'{number} {text}'.encode(), key=secret, digest_size=16).hexdigest()} {text}\n".encode()
        while line:
            line = line[write(pipe, line) :]

    def end(message: dict[str, Any]) -> None:
        try:
            emit(message)
        finally:
            leave(STOPPED)

    def accuse(what: str) -> None:
        end({"kind": "evidence", "what": what})

    def receive(frame: FrameType, kind: str, *given: Any) -> None:
        if kind in answers:
            answers[kind](*given)
        elif kind == "cheat":
            accuse(str(given[0]))
        elif getpid() != owner:
            end({"kind": "copied"})
        elif kind == "ended":
            if id(frame.f_code) in known and place.leads_to(bottom, frame.f_back):
                emit({"kind": "ended", "name": str(given[0])})
        elif not place.leads_to(bottom, frame):
            accuse("it reported results itself")
        elif kind == "say":
            emit(given[0])
        elif kind == "show":
            source.show_lines(texts)
        elif kind == "hide":
            source.hide_lines(texts)
        elif kind == "tests" and not genuine:
            genuine.extend(given[0][0])
            known.update(map(id, genuine))
            texts.update(given[0][1])

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == EVENT:
            receive(getframe(1), *arguments)
        elif event == "sys._getframe":
            if arguments and not _our_own_call(arguments[0]) and _above_guard(arguments[0]):
                accuse("it looked into the frames of the guard")
        elif event == "object.__getattr__":
            if arguments[1] in _FRAMES and _above_guard(getframe(1)):
                accuse("it looked into the frames of the guard")
        elif event in rules:
            what = rules[event](arguments, getframe(1))
            if what:
                accuse(what)

    sys.addaudithook(hook)


def _our_own_call(frame: FrameType) -> bool:
    """Before Python 3.11 the event's frame is that of the caller, later the one that was found."""
    return _FRAME_OF_CALLER and frame.f_globals is _OURS


def _above_guard(frame: FrameType | None) -> bool:
    """Whether the guard's own code is below this frame. Told by the globals: reading `f_code` is an audit event."""
    while frame is not None:
        if frame.f_globals is _OURS:
            return True
        frame = frame.f_back
    return False


def _importer(frame: FrameType) -> FrameType:
    """The frame that an import was asked for in."""
    while frame.f_back is not None and frame.f_code.co_filename.startswith("<frozen importlib"):
        frame = frame.f_back
    return frame


def _rules(place: Place) -> dict[str, Rule]:
    """By audit event: what of it no solution has a reason to do, and how it is named."""

    def anywhere(what: str) -> Rule:
        return lambda arguments, frame: what if place.stranger(frame) else ""

    def directly(what: str) -> Rule:
        return lambda arguments, frame: what if place.is_strange(frame) else ""

    def opened(arguments: tuple[Any, ...], frame: FrameType) -> str:
        if not isinstance(arguments[0], str | bytes) or not place.stranger(frame):
            return ""
        path = os.path.abspath(os.fsdecode(arguments[0]))
        for name in {path, os.path.realpath(path)}:
            if _MEMORY.match(name):
                return f"it opened {name}"
            if name in place.secrets:
                return f"it opened {name}, where the task's answers lie"
        return ""

    def pointed(arguments: tuple[Any, ...], frame: FrameType) -> str:
        folder = f"{os.sep}ctypes{os.sep}"
        while frame.f_back is not None and folder in frame.f_code.co_filename and not place.is_strange(frame):
            frame = frame.f_back
        return "it reached for the process's memory by ctypes" if place.is_strange(frame) else ""

    def imported(arguments: tuple[Any, ...], frame: FrameType) -> str:
        if arguments[0] in ("ctypes", "_ctypes") and place.is_strange(_importer(frame)):
            return "it imported ctypes, which reaches the process's memory"
        name, path = arguments[0], arguments[1]
        native = isinstance(path, str) and not place.trusts(path)
        if (name in _INTERPRETERS or native or name == "_signal") and place.stranger(frame):
            return f"it imported {name}, which reaches behind the interpreter"
        return ""

    def compiled(arguments: tuple[Any, ...], frame: FrameType) -> str:
        name = arguments[1] if isinstance(arguments[1], str) else ""
        forged = name in place.hidden or place.trusts(name)
        return "it gave its code the name of a file that is not its own" if forged and place.is_strange(frame) else ""

    def replaced(arguments: tuple[Any, ...], frame: FrameType) -> str:
        holder, name = arguments[0], arguments[1]
        if name != "__code__" or not isinstance(holder, FunctionType) or not place.stranger(frame):
            return ""
        owner = holder.__code__.co_filename
        return "it replaced code by which it is tested" if owner in place.hidden or place.trusts(owner) else ""

    def monitored(arguments: tuple[Any, ...], frame: FrameType) -> str:
        # From Python 3.12 on cProfile is such a callback, too: its own, in C.
        callback = arguments[0]
        profiler = getattr(callback, "__self__", None) if isinstance(callback, BuiltinMethodType) else None
        honest = callback is None or isinstance(profiler, _PROFILERS)
        return "it traced the tests by sys.monitoring" if not honest and place.stranger(frame) else ""

    return {
        "open": opened,
        "import": imported,
        "compile": compiled,
        "object.__setattr__": replaced,
        "code.__new__": directly("it assembled code by hand"),
        "marshal.loads": directly("it loaded code that was compiled elsewhere"),
        "gc.get_objects": anywhere("it searched the interpreter's memory by gc"),
        "gc.get_referrers": anywhere("it searched the interpreter's memory by gc"),
        "sys._current_frames": anywhere("it looked at the frames of other threads"),
        "sys._current_exceptions": anywhere("it looked at the frames of other threads"),
        "sys.settrace": anywhere("it traced the tests by sys.settrace"),
        "sys.monitoring.register_callback": monitored,
        "sys.addaudithook": anywhere("it added an audit hook"),
        "cpython.PyInterpreterState_New": anywhere("it made another interpreter"),
        **dict.fromkeys(_POINTERS, pointed),
    }
