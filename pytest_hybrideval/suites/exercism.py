"""Exercism's own folder layout, as its Python track has it: `.docs/`, `.meta/config.json`, stub and test files.

Our additions are `.meta/near_misses/NAME/`, whose files' first line says in a comment what is wrong, and in the
configuration's `custom`, which Exercism leaves to its tracks, `difficulty` (easy, medium, hard) and `topics`. A folder
of a genuine track, or of aider's polyglot benchmark, is read as it is: the suite has the track's name.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from pytest_hybrideval.core.domain import JEST, PYTEST, NearMiss, Task, TaskClass
from pytest_hybrideval.core.errors import TaskError
from pytest_hybrideval.suites import javascript
from pytest_hybrideval.suites.folders import digest, files_below
from pytest_hybrideval.suites.tracks import track_of

_CONFIG = Path(".meta/config.json")
_NEAR_MISSES = Path(".meta/near_misses")
# What Exercism tells its students, in the order in which it does.
_DOCS = ("introduction.md", "introduction.append.md", "instructions.md", "instructions.append.md")
_LANGUAGES = {".py": PYTEST, ".js": JEST}
_BESIDE = {".js": ("package.json", ".cjs", ".mjs")}
_LEVELS = ("easy", "medium", "hard")
_SCORING_SECONDS = 60.0
_AGENT_SECONDS = 600.0


class ExercismSuite:
    """Reads exercises of Exercism's Python track and folders made like them."""

    def claims(self, folder: Path) -> bool:
        """`.meta/config.json` and `.docs/` are there."""
        return (folder / _CONFIG).is_file() and (folder / ".docs").is_dir()

    def load(self, folder: Path) -> Task:
        """Read and check everything. Raises `TaskError` naming file and field."""
        config = _read_config(folder / _CONFIG)
        stubs, tests = _named_files(folder, config, "solution"), _named_files(folder, config, "test")
        editors = _named_files(folder, config, "editor", required=False)
        example = "exemplar" if "exemplar" in config["files"] else "example"  # concept exercises call it so
        examples = list(_named_files(folder, config, example).values())
        track, suffix = track_of(folder), PurePosixPath(next(iter(stubs))).suffix
        tools = javascript.look(folder) if suffix == ".js" else javascript.Found(None, _foreign(suffix))
        instruction = _instruction(folder)
        if suffix in _LANGUAGES and len(examples) != len(stubs):
            raise TaskError(
                f"{folder / _CONFIG}: field 'files.{example}': "
                f"names {len(examples)} files for {len(stubs)} of 'files.solution'"
            )
        solution = dict(zip(stubs, examples, strict=suffix in _LANGUAGES))
        hidden = {**_unnamed(folder, {**stubs, **editors, **tests}, suffix), **tests}
        return Task(
            suite=track.name if track else folder.parent.name,
            name=folder.name,
            folder=folder,
            task_class=TaskClass.PUZZLE,
            title=str(config.get("blurb") or folder.name),
            instruction=instruction,
            workspace={**editors, **stubs},
            edit=tuple(stubs),
            create=(),
            read_only=tuple(editors),
            hidden=hidden,
            solution=solution,
            near_misses=_near_misses(folder, stubs),
            digest=digest({"instruction": instruction}, (stubs, editors, hidden, solution)),
            difficulty=_difficulty(folder, config) or (track.difficulty(folder.name) if track else ""),
            topics=_topics(folder, config) or (track.topics(folder.name) if track else ()),
            agent_seconds=_AGENT_SECONDS,
            scoring_seconds=_SCORING_SECONDS,
            runner=_LANGUAGES.get(suffix, ""),
            tools=tools.modules,
            skip=tools.missing,
        )


def _unnamed(folder: Path, named: dict[str, Path], suffix: str) -> dict[str, Path]:
    """What the configuration forgets and tests of genuine tracks use: files of the language, folders of data."""
    wanted = (suffix, *_BESIDE.get(suffix, ()))
    found = {path.name: path for path in sorted(folder.iterdir()) if path.is_file() and path.name.endswith(wanted)}
    for inner in sorted(folder.iterdir()):
        if inner.is_dir() and not inner.name.startswith((".", "_")) and inner.name != javascript.MODULES:
            found |= {f"{inner.name}/{name}": path for name, path in files_below(inner).items()}
    return {name: path for name, path in found.items() if name not in named and not path.is_symlink()}


def _foreign(suffix: str) -> str:
    """Why a language's tests cannot be run, empty where they can."""
    if suffix in _LANGUAGES:
        return ""
    return f"its language ({suffix or 'none'}) is not one whose hidden tests can be run: {', '.join(_LANGUAGES)}"


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TaskError(f"{path}: not readable as JSON: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("files"), dict):
        raise TaskError(f"{path}: field 'files' must map solution, test and example to lists of file names")
    return config


def _difficulty(folder: Path, config: dict[str, Any]) -> str:
    level = _custom(folder, config).get("difficulty", "")
    if level not in ("", *_LEVELS):
        raise TaskError(f"{folder / _CONFIG}: field 'custom.difficulty': {level!r} is none of {', '.join(_LEVELS)}")
    return str(level)


def _topics(folder: Path, config: dict[str, Any]) -> tuple[str, ...]:
    topics = _custom(folder, config).get("topics", [])
    if not isinstance(topics, list) or not all(isinstance(topic, str) for topic in topics):
        raise TaskError(f"{folder / _CONFIG}: field 'custom.topics': must be a list of words")
    return tuple(topics)


def _custom(folder: Path, config: dict[str, Any]) -> dict[str, Any]:
    custom = config.get("custom", {})
    if not isinstance(custom, dict):
        raise TaskError(f"{folder / _CONFIG}: field 'custom': must be a mapping")
    return custom


def _named_files(folder: Path, config: dict[str, Any], field: str, *, required: bool = True) -> dict[str, Path]:
    names = config["files"].get(field, [])
    where = f"{folder / _CONFIG}: field 'files.{field}'"
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or (required and not names):
        raise TaskError(f"{where}: must be a list of at least one file name")
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise TaskError(f"{where}: {name!r} is not a plain path relative to the exercise")
        if (folder / name).is_symlink():
            raise TaskError(f"{folder / name}: is a symlink; put the file itself into the task")
        if not (folder / name).is_file():
            raise TaskError(f"{where}: there is no file {folder / name}")
    return {name: folder / name for name in names}


def _instruction(folder: Path) -> str:
    texts = [_read(path).strip() for name in _DOCS if (path := folder / ".docs" / name).is_file()]
    if not texts:
        raise TaskError(f"{folder / '.docs' / 'instructions.md'}: is missing; the agent would not know what to do")
    return "\n\n".join(texts)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise TaskError(f"{path}: not UTF-8: {error}") from None


def _near_misses(folder: Path, stubs: dict[str, Path]) -> tuple[NearMiss, ...]:
    parent = folder / _NEAR_MISSES
    found = []
    for path in sorted(parent.iterdir()) if parent.is_dir() else []:
        files = files_below(path)
        for name in files:
            if name not in stubs:
                raise TaskError(f"{path / name}: is not one of 'files.solution' of {folder / _CONFIG}")
        if files:
            first = next(iter(files.values())).read_text(encoding="utf-8").partition("\n")[0]
            found.append(NearMiss(path.name, first.lstrip("# ").strip(), files))
    return tuple(found)
