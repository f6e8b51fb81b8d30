"""What a Python interpreter needs to be seen of the file system in order to run."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pytest_hybrideval.core.errors import ConfigurationError

# Only these of a prefix: a virtual environment may have been made in the folder of a checkout itself.
_PARTS = ("bin", "lib", "lib64", "share", "ssl", "pyvenv.cfg")

_ASK = """
import importlib.util, json, platform, sys
spec = importlib.util.find_spec(sys.argv[1])
print(json.dumps({
    "version": platform.python_implementation() + " " + platform.python_version(),
    "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix],
    "module": spec and list(spec.submodule_search_locations or ()),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python: its program, its version in words, and the paths that must be readable for it to run."""

    program: str
    version: str
    readable: tuple[Path, ...]


@cache
def interpreter(program: str, module: str = "pytest", purpose: str = "hidden tests") -> Interpreter:
    """Ask the interpreter about itself, once per process. The folder of `module` is readable wherever it lies.

    Raises `ConfigurationError` where it does not run or has no such module of its own (one in the user's home does not
    count: the sandbox hides it); `purpose` says in it what the interpreter is for.
    """
    asking = [program, "-I", "-c", _ASK, module]
    try:
        asked = subprocess.run(asking, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as problem:
        raise ConfigurationError(f"the Python {program!r} for {purpose} does not run: {problem}") from problem
    facts = json.loads(asked.stdout)
    if facts["module"] is None:
        raise ConfigurationError(
            f"the Python {program!r} for {purpose} has no {module}; install {module} in that environment"
        )
    prefixes = {Path(prefix) for prefix in facts["prefixes"]}
    prefixes |= {prefix.resolve() for prefix in prefixes}
    parts = [prefix / part for prefix in sorted(prefixes) for part in _PARTS]
    # The module lies apart from them where it is installed as a link to its source.
    parts += map(Path, facts["module"])
    readable = (*(path for path in parts if path.exists()), *links(Path(program)))
    return Interpreter(program, facts["version"], tuple(dict.fromkeys(readable)))


def links(program: Path) -> list[Path]:
    """The program and every file its symbolic links lead through."""
    seen: list[Path] = []
    path = program.absolute()
    while path not in seen:
        seen.append(path)
        if path.is_symlink():
            path = path.parent / path.readlink()
    return seen
