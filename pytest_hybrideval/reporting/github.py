"""What a GitHub workflow shows of a run: a job summary, and annotations of what was not solved."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_hybrideval.analysis.cells import CellKey
from pytest_hybrideval.core.domain import Outcome
from pytest_hybrideval.core.records import TrialRecord
from pytest_hybrideval.reporting.numbers import names_of
from pytest_hybrideval.reporting.report import Report, matrix_markdown

# GitHub refuses a step's summary of more than 1 MiB whole.
_SUMMARY_BYTES = 1_000_000
_CUT = "\n\nThe summary is cut here: it would be longer than GitHub takes. The run's directory has all of it.\n"
_TASK_FILES = ("task.yaml", ".meta/config.json")


def append_summary(report: Report, file: Path) -> None:
    """Append the matrix and the gate's verdict to the file that GITHUB_STEP_SUMMARY names. Raises `OSError`.

    What the step has written there before stays, and counts for the limit.
    """
    text = matrix_markdown(report).encode()
    with file.open("ab") as summary:
        room = max(0, _SUMMARY_BYTES - (summary.tell() if summary.seekable() else 0))
        if len(text) > room:
            text = text[:room].rpartition(b"\n")[0] + _CUT.encode()
        summary.write(text + b"\n")


def annotated(records: Iterable[TrialRecord], root: Path, repository: Path | None = None) -> Iterator[str]:
    """A workflow command per task and strategy that left trials unsolved: a warning, an error where one has no verdict.

    `root` is the folder that node ids are relative to, `repository` the one that GitHub's paths are (`root` if not
    given); GitHub links the annotation to the task's own file.
    """
    groups: dict[CellKey, list[TrialRecord]] = {}
    for record in records:
        key = CellKey(record.task, record.local_model, record.cloud_model, "", record.strategy, record.threshold)
        groups.setdefault(key, []).append(record)
    names = names_of(groups)
    for key, group in groups.items():
        unsolved = [record for record in group if record.outcome is not Outcome.PASSED]
        if unsolved:
            yield _command(group, unsolved, f"{key.scope} under {names[key]}", root, repository or root)


def _command(group: list[TrialRecord], unsolved: list[TrialRecord], title: str, root: Path, repository: Path) -> str:
    level = "error" if any(record.outcome is Outcome.ERROR for record in unsolved) else "warning"
    folder = unsolved[0].node_id.partition("::")[0]
    files = [root / folder / name for name in _TASK_FILES if folder]
    file = next((Path(os.path.relpath(file, repository)).as_posix() for file in files if file.is_file()), "")
    properties = [*([f"file={_escaped(file, ':,')}"] if file else []), f"title={_escaped(title, ':,')}"]
    seeds = ("seed " if len(unsolved) == 1 else "seeds ") + ", ".join(str(record.seed) for record in unsolved)
    causes = ", ".join(dict.fromkeys(_cause(record) for record in unsolved))
    trials = f"{len(group)} trial{'' if len(group) == 1 else 's'}"
    said = f": {unsolved[0].detail}" if unsolved[0].detail else ""
    message = f"{len(unsolved)} of {trials} unsolved ({causes}; {seeds}){said}"
    return f"::{level} {','.join(properties)}::{_escaped(message)}"


def _cause(record: TrialRecord) -> str:
    cause = record.failure_mode or record.error_kind
    return cause.value.replace("_", " ") if cause else record.outcome.value


def _escaped(text: str, special: str = "") -> str:
    """Text as workflow commands want it: percent-encoded where it would end the command or the property."""
    for character in "%\r\n" + special:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
