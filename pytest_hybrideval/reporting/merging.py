"""Several runs made one: the shards of a CI matrix, or seeds that were added later."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_hybrideval.core.records import CallRecord, TrialRecord, to_json
from pytest_hybrideval.reporting.merged_manifest import RunsDiffer, check_agreement, merged_manifest
from pytest_hybrideval.reporting.new_run import IMPORTED, models_in_id, new_run, write_json, write_lines
from pytest_hybrideval.reporting.run_directory import CALLS, MANIFEST, RAW, read_calls
from pytest_hybrideval.reporting.runs import Run, read_run

__all__ = ["Merged", "RunsDiffer", "merge_runs"]

_NAMED = 3


@dataclass(frozen=True)
class Merged:
    """What came of a merge; `repeated` counts records that were there already."""

    path: Path
    runs: int
    trials: int
    calls: int
    repeated: int


@dataclass
class _Kept:
    """A trial of the merged run: its record under its plain id, and where it was found under which id."""

    record: TrialRecord
    found: list[tuple[Run, str]] = field(default_factory=list)


_Key = tuple[str, str, str]


def merge_runs(paths: Sequence[Path], output: Path) -> Merged:
    """Write one run made of those in `paths`; none of them is changed.

    Identical records are one, so runs may overlap, be named twice, or be merged ones. Records stand in the order of the
    runs and of their lines. Trials of one id that ran with different models get their models into the id. Raises
    `RunsDiffer` where the runs do not belong together or say different things of one trial, and `ConfigurationError`
    where `output` is there already: it must be new even if it is one of the runs, so that a merge that is killed or
    refused has cost nothing.
    """
    runs = [read_run(path) for path in paths]
    check_agreement(runs)
    kept = _kept(runs)
    ids = _ids(kept)
    with new_run(output) as folder:
        records = [replace(trial.record, trial=ids[key]) for key, trial in kept.items()]
        write_lines(folder / RAW, map(to_json, records))
        calls = list(dict.fromkeys(_calls(runs, ids)))
        if calls:
            write_lines(folder / CALLS, map(to_json, calls))
        for key, trial in kept.items():
            _copy_files(trial, ids[key], folder)
        _copy_imported(runs, folder)
        write_json(folder / MANIFEST, merged_manifest(runs, output.resolve().name, len(records)))
    repeated = sum(len(run.records) for run in runs) - len(records)
    return Merged(output, len(runs), len(records), len(calls), repeated)


def _kept(runs: Sequence[Run]) -> dict[_Key, _Kept]:
    """Every trial once. Raises `RunsDiffer` where two records of a trial are not the same."""
    kept: dict[_Key, _Kept] = {}
    differing: dict[str, tuple[Run, Run]] = {}
    for run in runs:
        for record in run.records:
            plain = replace(record, trial=_plain_id(record))
            trial = kept.setdefault(_key(record), _Kept(plain))
            trial.found.append((run, record.trial))
            if trial.record != plain:
                differing.setdefault(record.trial, (trial.found[0][0], run))
    if differing:
        some = [f"{trial} in {one.path} and {two.path}" for trial, (one, two) in list(differing.items())[:_NAMED]]
        more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        raise RunsDiffer(f"a trial has two different records: {'; '.join(some)}{more}; leave out the run that is wrong")
    return kept


def _key(record: TrialRecord) -> _Key:
    return _plain_id(record), record.local_model, record.cloud_model


def _ids(kept: dict[_Key, _Kept]) -> dict[_Key, str]:
    """The trials' ids: the plain ones, with the models in those that would else be the same."""
    count = Counter(plain for plain, *_ in kept)
    return {
        key: key[0].removesuffix("]") + models_in_id(trial.record) + "]" if count[key[0]] > 1 else key[0]
        for key, trial in kept.items()
    }


def _plain_id(record: TrialRecord) -> str:
    """A trial's id before a merge put its models into it."""
    ending = models_in_id(record) + "]"
    return record.trial.removesuffix(ending) + "]" if record.trial.endswith(ending) else record.trial


def _calls(runs: Sequence[Run], ids: dict[_Key, str]) -> Iterator[CallRecord]:
    """All calls under their trials' new ids; those of a trial that did not live to make a record stay, too."""
    for run in runs:
        file = run.path / CALLS
        names = {record.trial: ids[_key(record)] for record in run.records}
        for call in read_calls(file) if file.exists() else ():
            yield replace(call, trial=names.get(call.trial, call.trial))


def _copy_files(trial: _Kept, new_id: str, folder: Path) -> None:
    """The trial's own files, from the first run that has them."""
    for run, old_id in trial.found:
        source, target = _place(run.path, trial.record, old_id), _place(folder, trial.record, new_id)
        if source.is_dir() and target.is_relative_to(folder) and ".." not in target.parts:
            shutil.copytree(source, target, symlinks=True)
            return


def _place(run: Path, record: TrialRecord, trial_id: str) -> Path:
    """`trials/SUITE/TASK/VARIANT` of a trial that is called `SUITE/TASK[VARIANT]`."""
    task = record.task.removeprefix(f"{record.suite}/")
    variant = trial_id.removeprefix(f"{record.task}[").removesuffix("]")
    return run / "trials" / record.suite / task / variant.replace("/", "_")


def _copy_imported(runs: Sequence[Run], folder: Path) -> None:
    """The rows as they were before they were imported, every one once."""
    files = [file for run in runs if (file := run.path / IMPORTED).exists()]
    lines = dict.fromkeys(line for file in files for line in file.read_bytes().split(b"\n") if line)
    if lines:
        (folder / IMPORTED).write_bytes(b"\n".join([*lines, b""]))
