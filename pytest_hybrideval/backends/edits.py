"""How a simulated model writes: a plan as prose with the changed passages, edits in the agent's three formats."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import PurePosixPath

from pytest_hybrideval.core.domain import Task
from pytest_hybrideval.core.signals import EditFormat, RequestSignals

SOLUTION = "solution"
_UNCHANGED = "unchanged"
_CONTEXT_LINES = 3

Files = Mapping[str, str]


@lru_cache(maxsize=512)
def variants(task: Task) -> Mapping[str, Files]:
    """What a model may answer for a task: the solution and each near miss, as path -> new content of changed files.

    A task without near misses gets one wrong variant that changes nothing.
    """
    found = {SOLUTION: task.solution} | {miss.name: miss.files for miss in task.near_misses}
    texts = {
        name: {path: file.read_text(encoding="utf-8") for path, file in files.items()} for name, files in found.items()
    }
    texts = {name: {p: text for p, text in files.items() if text != _before(task, p)} for name, files in texts.items()}
    return texts if task.near_misses else {**texts, _UNCHANGED: {}}


def plan(task: Task, files: Files) -> str:
    """An architect's answer: which file changes how, passage by passage, without a single whole file."""
    if not files:
        return f"Nothing needs to change for: {task.title}."
    return "\n".join([f"Plan for: {task.title}.", "", *(_plan_file(task, path, text) for path, text in files.items())])


def _plan_file(task: Task, path: str, text: str) -> str:
    before = _before(task, path)
    verb = "Change" if before else "Create"
    lines = [f"{verb} `{path}`:", ""]
    for old, new in _passages(before, text):
        lines += ["    replace", *_quoted(old), "    with", *_quoted(new)] if old else ["    add", *_quoted(new)]
    return "\n".join([*lines, ""])


def _quoted(text: str) -> list[str]:
    return [f"    | {line}" for line in text.splitlines()]


def write(files: Files, signals: RequestSignals) -> str:
    """The edits that turn the files shown in the request into `files`, in the format the request asks for."""
    writers = {EditFormat.WHOLE: _whole, EditFormat.DIFF: _diff, EditFormat.UDIFF: _udiff}
    writer = writers[signals.edit_format]
    parts = [writer(path, signals.files.get(path, ""), text, signals.fence) for path, text in files.items()]
    return "\n".join(part for part in parts if part) or "No file needs a change."


def malformed(text: str, signals: RequestSignals) -> str:
    """The same edits, spoilt as models spoil them: blocks that match nothing, or listings without a file name."""
    if signals.edit_format is EditFormat.WHOLE:
        lines = text.splitlines(True)
        if len(signals.files) > 1:  # with one file in the chat an agent needs no name
            return "".join(lines[1:])
        return "".join(line for line in lines if not line.startswith(signals.fence))
    if signals.edit_format is EditFormat.DIFF:
        return text.replace("<<<<<<< SEARCH\n", "<<<<<<< SEARCH\n# as discussed above\n")
    spoilt = re.sub(r"(?m)^([- ])(?!-- )(.*)$", r"\1\2 # as discussed above", text)
    return spoilt.replace("@@ ... @@\n", "@@ ... @@\n-# as discussed above\n")


def _whole(path: str, before: str, after: str, fence: str) -> str:
    return "" if before == after else f"{path}\n{fence}\n{_ended(after)}{fence}\n"


def _diff(path: str, before: str, after: str, fence: str) -> str:
    language = PurePosixPath(path).suffix.lstrip(".")
    return "\n".join(
        f"{path}\n{fence}{language}\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n{fence}\n"
        for old, new in _passages(before, after)
    )


def _udiff(path: str, before: str, after: str, fence: str) -> str:
    hunks = ["@@ ... @@\n" + _hunk(old, new) for old, new in _passages(before, after)]
    old_name = path if before else "/dev/null"
    return f"```diff\n--- {old_name}\n+++ {path}\n{''.join(hunks)}```\n" if hunks else ""


def _hunk(old: str, new: str) -> str:
    """One passage as the lines of a unified diff, without its three header lines."""
    old_lines, new_lines = old.splitlines(True), new.splitlines(True)
    lines = difflib.unified_diff(old_lines, new_lines, n=len(old_lines))
    return "".join(islice(lines, 3, None))


def _passages(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Old and new text of each changed passage, each old passage standing exactly once in `before`.

    Where a passage with its context is not unique, the whole file is one passage.
    """
    before, after = _ended(before), _ended(after)
    if before == after:
        return
    old, new = before.splitlines(True), after.splitlines(True)
    groups = difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT_LINES)
    passages = [("".join(old[g[0][1] : g[-1][2]]), "".join(new[g[0][3] : g[-1][4]])) for g in groups]
    yield from passages if not before or _lands(old, passages, new) else [(before, after)]


def _lands(lines: list[str], passages: list[tuple[str, str]], wanted: list[str]) -> bool:
    """Whether the passages, applied one after the other where each stands, and only there, make what is wanted."""
    for before, after in passages:
        old = before.splitlines(True)
        places = [at for at in range(len(lines)) if lines[at : at + len(old)] == old]
        if len(places) != 1 or not before.strip():
            return False
        lines = [*lines[: places[0]], *after.splitlines(True), *lines[places[0] + len(old) :]]
    return lines == wanted


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _before(task: Task, path: str) -> str:
    file = task.workspace.get(path)
    return file.read_text(encoding="utf-8") if file else ""
