"""Small appliers of the three edit formats, as strict as an agent's: what does not fit exactly once is refused."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_hybrideval.core.signals import EditFormat

Texts = Mapping[str, str]


class RefusedEditError(Exception):
    """The answer holds an edit that cannot be applied."""


def apply(edit_format: EditFormat, answer: str, files: Texts, fence: str = "```") -> dict[str, str]:
    """The files after the answer has been applied to them. Raises `RefusedEditError`."""
    appliers = {EditFormat.WHOLE: _whole, EditFormat.DIFF: _diff, EditFormat.UDIFF: _udiff}
    return appliers[edit_format](answer, files, fence)


def _whole(answer: str, files: Texts, fence: str) -> dict[str, str]:
    result, lines, name = dict(files), answer.splitlines(keepends=True), ""
    content: list[str] = []
    for at, line in enumerate(lines):
        if not line.startswith(fence):
            content.append(line)
        elif name:
            result[name], name = "".join(content), ""
        else:
            name, content = lines[at - 1].strip() if at else "", []
            if not name:
                raise RefusedEditError("a listing without a file name")
    if name:
        raise RefusedEditError(f"the listing of {name} does not end")
    return result


def _diff(answer: str, files: Texts, fence: str) -> dict[str, str]:
    result, name = dict(files), ""
    lines = iter(answer.splitlines(keepends=True))
    before = ""
    for line in lines:
        if line.startswith(fence) and before.strip():
            name = before.strip()
        if line == "<<<<<<< SEARCH\n":
            old = _until(lines, "=======\n")
            new = _until(lines, ">>>>>>> REPLACE\n")
            result[name] = _replaced(result.get(name, ""), old, new)
        before = "" if line.startswith(fence) else line
    return result


def _udiff(answer: str, files: Texts, fence: str) -> dict[str, str]:
    """Unified diffs are always fenced by three backticks: every line within begins with a mark."""
    result = dict(files)
    lines = iter(answer.splitlines(keepends=True))
    for line in lines:
        if line.startswith("```diff"):
            header, *hunks = "".join(_until(lines, "```\n")).split("@@ ... @@\n")
            name = header.splitlines()[1].removeprefix("+++ ")
            for hunk in hunks:
                marked = hunk.splitlines(keepends=True)
                old = [text[1:] for text in marked if text[0] in " -"]
                new = [text[1:] for text in marked if text[0] in " +"]
                result[name] = _replaced(result.get(name, ""), old, new)
    return result


def _until(lines: object, end: str) -> list[str]:
    found: list[str] = []
    for line in lines:  # type: ignore[attr-defined]
        if line == end:
            return found
        found.append(line)
    raise RefusedEditError(f"no {end.strip()} in the answer")


def _replaced(text: str, old: list[str], new: list[str]) -> str:
    """`new` in the place of the lines `old`, which stand exactly once; blank lines alone mean: append, as in aider."""
    if not "".join(old).strip():
        return text + "".join(new)
    ended = text if text.endswith("\n") else text + "\n"
    lines = ended.splitlines(keepends=True)
    places = [at for at in range(len(lines)) if lines[at : at + len(old)] == old]
    if len(places) != 1:
        raise RefusedEditError(f"{old!r} stands {len(places)} times in the file")
    return "".join([*lines[: places[0]], *new, *lines[places[0] + len(old) :]])
