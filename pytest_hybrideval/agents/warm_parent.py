"""The warm parent: a process that has imported aider once and forks a child per job. A program, never imported.

It is started as `python warm_parent.py FD` with a clean environment whose HOME is private. Over the socket FD
(SOCK_SEQPACKET) it takes one JSON message per job with the descriptor of the job's output, and answers each with two:
`{"pid": N}` when the child runs, `{"exit": CODE}` when it has ended (negative for a signal). The first message it sends
is `{"ready": VERSION}` or `{"broken": WHY}`. A job with a `plan` (see `enclosure.py`) is enclosed; its second
descriptor and its `port` are those of a doorway (see `doorway.py`).

A child is what the command `python launch.py ARGUMENTS` would be: own session, working directory, environment and
output. It does one job and is gone, so nothing passes from one job to the next; the parent itself never runs one.
What makes it fast changes no request: modules are imported, aider's own packaged tables are parsed, and flake8 runs
in the child instead of a new interpreter.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import importlib.resources
import importlib.util
import io
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_FLAKE8 = "flake8"
_MESSAGE_BYTES = 1 << 18
_HERE = Path(__file__).parent
# Found by comparing sys.modules before and after a run; each of them brings others along.
_LATE_MODULES = (
    "flake8.main.cli",
    "flake8.plugins.pycodestyle",
    "flake8.plugins.pyflakes",
    "importlib_resources.future.adapters",
    "importlib_resources.readers",
    "litellm._service_logger",
    "litellm.integrations.prometheus_services",
    "litellm.litellm_core_utils.get_supported_openai_params",
    "litellm.litellm_core_utils.llm_request_utils",
    "litellm.llms.litellm_proxy.chat.transformation",
    "litellm.llms.openai.chat.gpt_audio_transformation",
    "litellm.llms.openai_like.dynamic_config",
    "litellm.llms.vertex_ai.vertex_ai_partner_models.anthropic.transformation",
    "litellm.types.litellm_core_utils.streaming_chunk_builder_utils",
    "networkx",
    "numpy",
    "openai.resources",
    "tree_sitter_language_pack.bindings.python",
)


_MESSAGES = [{"role": role, "content": "warm"} for role in ("system", "user", "assistant")]


def main(control: socket.socket) -> None:
    """Warm up, then serve jobs until the other side closes the socket."""
    _die_with_parent()
    if _abandoned(control):
        return
    try:
        version = warm_up()
        enclosure, doorway = (load(_HERE.parent / "sandbox" / name) for name in ("enclosure.py", "doorway.py"))
    except Exception:
        _say(control, {"broken": traceback.format_exc(limit=-3)})
        return
    _say(control, {"ready": version})
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, _MESSAGE_BYTES, 2)
        if not message:
            return
        child = os.fork()
        if child == 0:
            run_job(json.loads(message), descriptors, enclosure, doorway)
        for descriptor in descriptors:
            os.close(descriptor)
        _say(control, {"pid": child})
        _, status = os.waitpid(child, 0)
        _say(control, {"exit": os.waitstatus_to_exitcode(status)})


def load(path: Path) -> ModuleType:
    """The module of that file, without its folder on sys.path."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def warm_up() -> str:
    """Import and parse all that a run needs. Raises where a thread is left: forking then would not be safe."""
    import aider
    import aider.linter
    import aider.main
    import aider.models
    from aider.llm import litellm

    litellm._load_litellm()  # aider puts this off until its first request
    _import_what_comes_late()
    _touch(litellm)
    _parse_packaged_tables_once()
    load(_HERE / "launch.py").sort_files()
    aider.linter.subprocess = _LinterSubprocess()
    _rehearse_flake8()
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads != 1:
        raise RuntimeError(f"{threads - 1} threads are left after warming up: {threading.enumerate()}")
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, the pages that children share
    return str(aider.__version__)


def _import_what_comes_late() -> None:
    """The modules that aider and its libraries import only while they run, as far as this environment has them."""
    for name in _LATE_MODULES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _touch(litellm: Any) -> None:
    """Have the openai client build its lazy parts and the tokenizer read its table; no request is made."""
    import openai
    from openai._utils import maybe_transform
    from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming

    client = openai.OpenAI(api_key="none", base_url="http://127.0.0.1:9")
    _ = client.chat.completions.with_raw_response
    client.close()
    # Resolves the types of every field of a request, which openai does at the first one.
    maybe_transform({"messages": _MESSAGES, "model": "hybrid", "stream": True}, CompletionCreateParamsStreaming)
    for module in ("litellm.types.utils", "openai.types.chat.chat_completion_chunk"):
        _complete_schemas(importlib.import_module(module))
    litellm.token_counter(model="openai/hybrid", messages=_MESSAGES)


def _complete_schemas(module: ModuleType) -> None:
    """Have pydantic build the schemas that it puts off until a class is first used."""
    from pydantic import BaseModel

    for model in list(vars(module).values()):
        own = isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
        if own and not model.__pydantic_complete__:
            model.model_rebuild(raise_errors=False)


def _parse_packaged_tables_once() -> None:
    """Spare each child json5: of aider's packaged model table, half a second, and of files that are plain JSON."""
    import aider.models
    import json5

    plain: Callable[..., Any] = json5.loads
    packaged = importlib.resources.files("aider.resources").joinpath("model-metadata.json").read_text()
    parsed = json.dumps(plain(packaged))

    def loads(text: str, **options: Any) -> Any:
        try:
            return plain(text, **options) if options else json.loads(parsed if text == packaged else text)
        except ValueError:
            return plain(text)

    aider.models.json5.loads = loads


class _LinterSubprocess:
    """Stands for the module `subprocess` in aider's linter: flake8 runs in the child itself, all else as ever.

    The child does one job and is gone, so what flake8 leaves behind in it does no harm.
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(subprocess, name)

    def run(self, argv: list[str], **options: Any) -> Any:
        """As `subprocess.run`; what flake8 writes is captured as the linter asks for it."""
        if list(argv[:3]) != [sys.executable, "-m", _FLAKE8]:
            return subprocess.run(argv, **options)
        here = Path.cwd()
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace") for _ in range(2))
        os.chdir(options.get("cwd") or here)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = _ended(_flake8, argv[3:])
        finally:
            os.chdir(here)
        return subprocess.CompletedProcess(argv, code, _written(out), _written(err))


def _flake8(argv: list[str]) -> int | None:
    from flake8.main.cli import main as flake8_main

    code: int | None = flake8_main(argv)
    return code


def _rehearse_flake8() -> None:
    """Check an empty file, so that flake8 has read its settings; its plugins are looked for once, not in each child."""
    with contextlib.suppress(ImportError):
        from flake8.plugins import finder

        found = list(finder._find_importlib_plugins())
        finder._find_importlib_plugins = lambda: iter(found)
    with tempfile.NamedTemporaryFile(suffix=".py") as empty:
        _LinterSubprocess().run([sys.executable, "-m", _FLAKE8, "--isolated", empty.name])


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read()


def run_job(job: dict[str, Any], descriptors: list[int], enclosure: Any, doorway: Any) -> NoReturn:
    """Become the command: never returns."""
    os.setsid()
    _die_with_parent()
    outwards = _redirect(*descriptors)
    os.environ.clear()
    os.environ.update(job["env"])
    time.tzset()
    if "plan" not in job:
        os.chdir(job["cwd"])
        _become(job["argv"])

    def inside() -> NoReturn:
        doorway.open_doorway(outwards, job["port"])
        _become(job["argv"])

    os._exit(enclosure.enclosed(job["plan"], inside))


def _become(arguments: list[str]) -> NoReturn:
    _start_afresh()
    sys.argv = [str(_HERE / "launch.py"), *arguments]
    _leave(_aider, None)


def _start_afresh() -> None:
    """What a new interpreter would not have: a seeded generator, a known temporary folder, a HOME read at import."""
    import aider.models

    random.seed()
    tempfile.tempdir = None
    manager = aider.models.model_info_manager
    manager.cache_dir = Path.home() / ".aider" / "caches"
    manager.cache_file = manager.cache_dir / manager.cache_file.name


def _aider(_: Any) -> Any:
    import aider.main

    aider.main.main()


def _redirect(output: int, *more: int) -> int:
    """Standard streams without input; of all else that is open here, only `more` stays, from the number given on."""
    first = 3
    nothing = os.open(os.devnull, os.O_RDONLY)
    kept = [os.dup(descriptor) for descriptor in (nothing, output, output, *more)]  # out of each other's way
    for target, source in enumerate(kept):
        os.dup2(source, target, inheritable=target < first)
    os.closerange(len(kept), os.sysconf("SC_OPEN_MAX"))
    return first


def _leave(work: Callable[[Any], Any], argument: Any) -> NoReturn:
    """Run and end as the interpreter ends a program: exit code, traceback, threads joined, exit handlers, streams."""
    code = _ended(work, argument)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _ended(work: Callable[[Any], Any], argument: Any) -> int:
    """Run something that may call `sys.exit`; the exit code that its process would have."""
    try:
        result = work(argument)
    except SystemExit as stop:
        return _exit_code(stop.code)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return result if isinstance(result, int) else 0


def _exit_code(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, int):
        return value & 0xFF
    print(value, file=sys.stderr)
    return 1


def _die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent ends, however it ends: no warm process outlives its test session."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _abandoned(control: socket.socket) -> bool:
    """Whether the other side is gone, as it may be before we could ask to end with it."""
    poll = select.poll()
    poll.register(control, 0)  # the end is always told
    return bool(poll.poll(0))


def _say(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


if __name__ == "__main__":
    del sys.path[0]  # our own folder, where `aider` would be the module beside this one
    main(socket.socket(fileno=int(sys.argv[1])))
