"""Finding, reading and listing runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.errors import ConfigurationError, RecordError
from pytest_hybrideval.core.records import SCHEMA_VERSION, TrialRecord
from pytest_hybrideval.reporting.run_directory import LATEST, MANIFEST, RAW, read_trials

_OUTCOMES = ("passed", "failed", "error")


@dataclass(frozen=True)
class Run:
    """A run as it lies on disk."""

    path: Path
    manifest: Mapping[str, Any]
    records: tuple[TrialRecord, ...]


@dataclass(frozen=True)
class RunSummary:
    """A run in a line: counts of its trials, what it compared, and since when (UTC, empty where no trial says so).

    `models` are pairs, `LOCAL + CLOUD`. `unreadable` counts lines of `raw.jsonl` that are no records: the half line of
    a run that was killed, for one.
    """

    run_id: str
    started: str
    trials: int
    passed: int
    failed: int
    errors: int
    strategies: tuple[str, ...]
    models: tuple[str, ...]
    simulated: bool
    unreadable: int = 0


def resolve_run(argument: str | Path, results_dir: Path) -> Path:
    """The directory of a run, named by that directory, by its `raw.jsonl`, by its id in `results_dir`, or `latest`.

    A path that exists goes over an id of the same name. A link (`latest`) is followed, so that the path says which run
    it is. Raises `ConfigurationError` that names what was looked for.
    """
    places = dict.fromkeys((Path(argument), results_dir / argument))
    for place in places:
        folder = place.parent if place.name == RAW else place
        if (folder / RAW).is_file():
            return folder.resolve() if folder.is_symlink() else folder
    looked = " and no ".join(str(place if place.name == RAW else place / RAW) for place in places)
    raise ConfigurationError(
        f"no run '{argument}': there is no {looked}; 'hybrideval runs --results-dir DIR' lists them"
    )


def read_run(path: Path) -> Run:
    """A run's manifest and all its records.

    A run that was killed while it wrote may end in half a line. Whoever asks for such a run wants the trials that did
    finish, but not to be shown numbers from which one trial is missing without a word: so it stays a `RecordError` that
    names file and line, and says what to do (take the line out; what is left is complete).
    """
    file = path / RAW
    try:
        return Run(path, read_manifest(path), tuple(read_trials(file)))
    except RecordError as error:
        raise RecordError(f"{error}{_advice(file, str(error))}") from None


def read_manifest(path: Path) -> dict[str, Any]:
    """A run's `manifest.json`. Raises `RecordError` that names the file."""
    file = path / MANIFEST
    try:
        manifest = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise RecordError(f"{file} is missing: without it nothing says what ran") from None
    except ValueError as error:
        raise RecordError(f"{file}: not JSON: {error}") from None
    version = manifest.get("schema_version") if isinstance(manifest, dict) else None
    if not isinstance(manifest, dict) or version != SCHEMA_VERSION:
        raise RecordError(f"{file}: schema_version is {version!r}, this version reads {SCHEMA_VERSION}")
    return manifest


def list_runs(results_dir: Path) -> list[RunSummary]:
    """Every run in a results directory, the oldest first. Raises `ConfigurationError` where there is no such directory.

    Damaged runs are listed with what can be read of them. duckdb reads the records where it is installed.
    """
    if not results_dir.is_dir():
        raise ConfigurationError(f"no results directory {results_dir}; --results-dir DIR names another")
    files = sorted(
        file
        for file in results_dir.glob(f"*/{RAW}")
        # `latest` is another name of a run; hidden folders are runs that somebody is still writing.
        if not file.parent.name.startswith(".") and not (file.parent.name == LATEST and file.parent.is_symlink())
    )
    found = by_duckdb(files)
    if found is None:
        found = by_python(files)
    return sorted(found, key=lambda run: (run.started, run.run_id))


def _advice(file: Path, said: str) -> str:
    """How to mend a last line that was not written to its end."""
    if not said.startswith(f"{file}:"):
        return ""
    content = file.read_bytes()
    last = content.count(b"\n") + 1
    if content.endswith(b"\n") or not said.startswith(f"{file}:{last}: "):
        return ""
    return "; the run was killed while it wrote this line: delete the line to use the trials before it"


def by_python(files: Sequence[Path]) -> list[RunSummary]:
    """What each `raw.jsonl` holds, read line by line."""
    return [_summary(file) for file in files]


def _summary(file: Path) -> RunSummary:
    rows = list(_rows(file))
    records = [row for row in rows if row is not None]
    count = [record["outcome"] for record in records].count
    return RunSummary(
        run_id=file.parent.name,
        started=min((text for record in records if (text := str(record.get("started_at") or ""))), default=""),
        trials=len(records),
        passed=count("passed"),
        failed=count("failed"),
        errors=count("error"),
        strategies=_names(record.get("strategy") for record in records),
        models=_names(f"{record.get('local_model')} + {record.get('cloud_model')}" for record in records),
        simulated=any(record.get("simulated") for record in records),
        unreadable=len(rows) - len(records),
    )


def _rows(file: Path) -> Iterator[dict[str, Any] | None]:
    """A line's record, as far as a list needs it; None where the line is none."""
    with file.open("rb") as lines:
        for line in lines:
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            yield row if isinstance(row, dict) and row.get("outcome") in _OUTCOMES else None


_QUERY = """
    SELECT filename,
           min(nullif(started_at, '')),
           count(*),
           count(*) FILTER (outcome = 'passed'),
           count(*) FILTER (outcome = 'failed'),
           count(*) FILTER (outcome = 'error'),
           list(DISTINCT strategy),
           list(DISTINCT local_model || ' + ' || cloud_model),
           bool_or(simulated)
    FROM read_json($files, format = 'newline_delimited', filename = true, columns = {
        started_at: 'VARCHAR', outcome: 'VARCHAR', strategy: 'VARCHAR',
        local_model: 'VARCHAR', cloud_model: 'VARCHAR', simulated: 'BOOLEAN'})
    GROUP BY filename
"""


def by_duckdb(files: Sequence[Path]) -> list[RunSummary] | None:
    """The same by one query over all files. None where duckdb is missing, or cannot say what a damaged line is."""
    try:
        import duckdb
    except ImportError:
        return None
    names = {str(file): file for file in files}
    if not names or any(set("*?[{") & set(name) for name in names):
        return None  # duckdb would take such a name for a pattern
    try:
        with duckdb.connect() as connection:
            rows = {row[0]: row[1:] for row in connection.execute(_QUERY, {"files": list(names)}).fetchall()}
    except duckdb.Error:
        return None
    strange = any(trials != passed + failed + errors for _, trials, passed, failed, errors, *_ in rows.values())
    if strange or not rows.keys() <= names.keys():
        return None
    return [_from_query(file, rows.get(name)) for name, file in names.items()]


def _from_query(file: Path, row: tuple[Any, ...] | None) -> RunSummary:
    if row is None:  # an empty file is in no group
        return RunSummary(file.parent.name, "", 0, 0, 0, 0, (), (), False)
    started, trials, passed, failed, errors, strategies, models, simulated = row
    return RunSummary(
        run_id=file.parent.name,
        started=started or "",
        trials=trials,
        passed=passed,
        failed=failed,
        errors=errors,
        strategies=_names(strategies),
        models=_names(models),
        simulated=bool(simulated),
    )


def _names(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(sorted({str(value) for value in values if value is not None}))
