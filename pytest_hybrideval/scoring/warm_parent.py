"""The warm runner: a process that has imported pytest once and forks an enclosed child per job. A program.

It is started as `python -s -B warm_parent.py FD` with a clean environment. Over the socket FD (SOCK_SEQPACKET) it
takes one JSON message per job (`plan` and `environ`, see `enclosure.py` and `Job`) with three descriptors for the
job's stdin, stdout and stderr, and answers `{"pid": N}` and, when the job has ended, `{"exit": CODE}`.

It never runs tested code: a job's child encloses itself in namespaces as the `namespaces` level does, and there is
what a new process would be that runs `runner.py`. What tests change dies with that child.
"""

from __future__ import annotations

import array
import gc
import importlib.util
import json
import os
import random
import socket
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

_MESSAGE_BYTES = 1 << 18
_STREAMS = 3
_REHEARSAL = """\
def test_passes(tmp_path, monkeypatch, capsys):
    assert tmp_path


def test_fails():
    assert [1, {"a": "b"}] == [1, {"a": "c"}]
"""


def main(control: socket.socket) -> None:
    """Import what runs need, then serve jobs until the other side is gone."""
    here = Path(__file__).parent
    runner, enclosure = _load(here / "runner.py"), _load(here.parent / "sandbox" / "enclosure.py")
    enclosure.die_with_parent()
    parts = runner.Parts()
    rehearse(parts)
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, the pages that children share
    control.send(b'{"ready": true}')
    while True:
        message, streams = _receive(control)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            _run(json.loads(message), streams, runner, enclosure, parts)
        for stream in streams:
            os.close(stream)
        control.send(json.dumps({"pid": pid}).encode())
        _, status = os.waitpid(pid, 0)
        control.send(json.dumps({"exit": os.waitstatus_to_exitcode(status)}).encode())


def rehearse(parts: Any) -> None:
    """Run two tests of our own, so that all is imported and parsed that pytest puts off until it runs, fails, explains.

    What such a run leaves in a process is undone: children start with the path and modules of a new one.
    """
    path, modules = list(sys.path), set(sys.modules)
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        test = Path(folder, "test_rehearsal.py")
        test.write_text(_REHEARSAL, encoding="utf-8")
        parts.child.run(folder, parts.source, [{str(test): _REHEARSAL.encode()}], [test.name], lambda kind, given: None)
    sys.path[:] = path
    del sys.modules["test_rehearsal"]
    assert sys.modules.keys() >= modules


def _load(path: Path) -> ModuleType:
    """The module of that file, without its folder on sys.path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    descriptors = array.array("i")
    room = socket.CMSG_LEN(_STREAMS * descriptors.itemsize)
    message, ancillary, _, _ = control.recvmsg(_MESSAGE_BYTES, room)
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return message, list(descriptors)


def _run(job: dict[str, Any], streams: list[int], runner: Any, enclosure: Any, parts: Any) -> NoReturn:
    """Become the job: its session, streams, environment and folder; nothing else of this process stays open."""
    os.setsid()
    enclosure.die_with_parent()
    for target, stream in enumerate(streams):
        os.dup2(stream, target)
    os.closerange(_STREAMS, os.sysconf("SC_OPEN_MAX"))
    os.environ.clear()
    os.environ.update(job["environ"])
    # What a new interpreter would not have: a known temporary folder, and the same random numbers as every other child.
    tempfile.tempdir = None
    random.seed()

    def serve() -> NoReturn:
        for name in ("ctypes", "libc"):
            vars(enclosure).pop(name)
        runner.serve(parts)
        os._exit(0)

    os._exit(enclosure.enclosed(job["plan"], serve))


if __name__ == "__main__":
    del sys.path[0]
    main(socket.socket(fileno=int(sys.argv[1])))
