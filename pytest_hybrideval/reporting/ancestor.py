"""Runs of hybrid-coding-eval (Hybrid Coding Arena), versions 1.0 to 1.6, as runs of ours.

Its rows become records as far as they say what a record says; the rest stays in `imported.jsonl`, every row as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.domain import ModelInfo, ModelRef, Outcome, TaskClass, Tier
from pytest_hybrideval.core.errors import ConfigurationError, RecordError
from pytest_hybrideval.core.pricing import parse_model
from pytest_hybrideval.core.records import SCHEMA_VERSION, Stages, TrialRecord, to_json
from pytest_hybrideval.reporting import ancestor_row as understood
from pytest_hybrideval.reporting.ancestor_row import Row
from pytest_hybrideval.reporting.ancestor_tokens import tokens
from pytest_hybrideval.reporting.new_run import IMPORTED, models_in_id, new_run, write_json, write_lines
from pytest_hybrideval.reporting.prices import load_prices
from pytest_hybrideval.reporting.run_directory import MANIFEST, RAW

_PROVIDERS = {Tier.LOCAL: "ollama", Tier.CLOUD: "openai"}  # all that the tool could ask


@dataclass
class Imported:
    """What came of an import: the records, and what the rows did not say or said besides."""

    path: Path
    records: list[TrialRecord] = field(default_factory=list)
    rows: int = 0
    finished_at: str = ""
    identical: int = 0
    repeated: int = 0
    versions: set[str] = field(default_factory=set)
    missing_keys: Counter[str] = field(default_factory=Counter)
    unknown_keys: set[str] = field(default_factory=set)
    unknown_categories: Counter[str] = field(default_factory=Counter)

    @property
    def unknown_tokens(self) -> int:
        """How many records have calls whose tokens are not known."""
        return sum(any(part.unknown_calls for part in record.tokens.values()) for record in self.records)

    def as_json(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {
            "rows": self.rows,
            "versions": sorted(self.versions),
            "missing_keys": dict(sorted(self.missing_keys.items())),
            "unknown_keys": sorted(self.unknown_keys),
            "unknown_categories": dict(sorted(self.unknown_categories.items())),
            "identical_rows": self.identical,
            "repeated_trials": self.repeated,
            "unknown_tokens": self.unknown_tokens,
        }


@dataclass(frozen=True)
class Source:
    """A file to import, and what its rows may leave out. `models` are `PROVIDER/NAME` by tier."""

    file: Path
    models: Mapping[Tier, str]


def import_rows(
    file: Path, output: Path, *, local_model: str | None = None, cloud_model: str | None = None
) -> Imported:
    """Make the run `output` from a `raw.jsonl` of that tool.

    The models are needed where rows do not name theirs (its own runs never did). Every row becomes a record, those with
    an `error` or without a verdict as errors; byte for byte identical rows are one. A row without a seed is numbered
    among those of its kind, from 0. Raises `RecordError` naming file, line and key for a row that cannot be understood,
    and `ConfigurationError` for models that are missing or wrong and for an output that is there already.
    """
    given = {tier: model for tier, model in ((Tier.LOCAL, local_model), (Tier.CLOUD, cloud_model)) if model}
    for tier, model in given.items():
        if parse_model(model).provider == "simulated":
            raise ConfigurationError(f"--{tier.value}-model {model}: these rows were measured, name the model that ran")
    content = file.read_bytes()
    result = _read(content, Source(file, given), output)
    if not result.records:
        raise RecordError(f"{file} holds no rows")
    with new_run(output) as folder:
        write_lines(folder / RAW, map(to_json, result.records))
        (folder / IMPORTED).write_bytes(b"".join(line + b"\n" for _, line in _lines(content)))
        write_json(folder / MANIFEST, _manifest(result, file.name, hashlib.sha256(content).hexdigest()))
    return result


def _lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line.strip():
            yield number, line.rstrip(b"\r")


def _read(content: bytes, source: Source, output: Path) -> Imported:
    result = Imported(output)
    seen: set[bytes] = set()
    records: list[tuple[TrialRecord, bool]] = []
    for number, line in _lines(content):
        result.rows += 1
        row = _row(f"{source.file}:{number}", line)
        record = _record(row, source, result)
        result.finished_at = max(result.finished_at, str(row.get("finished_at") or ""))
        result.missing_keys.update(row.missing)
        result.unknown_keys.update(row.unknown_keys())
        if line in seen:
            result.identical += 1
        else:
            seen.add(line)
            records.append((record, row.get("seed") is not None))
    _name(records, result)
    return result


def _name(records: list[tuple[TrialRecord, bool]], result: Imported) -> None:
    """Give every record an id of its own, and a number to those without a seed."""
    several = len({(record.local_model, record.cloud_model) for record, _ in records}) > 1
    numbers: Counter[str] = Counter()
    for record, has_seed in records:
        if not has_seed:
            kind = _trial_id(record, several) + " without a seed"
            record = replace(record, seed=numbers[kind])
            numbers[kind] += 1
        name = _trial_id(record, several)
        numbers[name] += 1
        if numbers[name] > 1:
            result.repeated += 1
            name = f"{name.removesuffix(']')}#{numbers[name]}]"
        result.records.append(replace(record, trial=name))


def _row(where: str, line: bytes) -> Row:
    try:
        data = json.loads(line)
    except ValueError as error:
        raise RecordError(f"{where}: not JSON: {error}") from None
    if not isinstance(data, dict):
        raise RecordError(f"{where}: not a JSON object")
    return Row(where, data)


def _record(row: Row, source: Source, result: Imported) -> TrialRecord:
    """A row's record, its trial not named yet."""
    said = understood.version(row)
    result.versions |= {said} - {""}
    suite, name, task_class = understood.task(row)
    if task_class is None:
        result.unknown_categories[str(row.get("category") or "none")] += 1
    agent, strategy, threshold = understood.policy(row, source.file.resolve().as_posix())
    outcome, failure_mode, error_kind, detail = understood.outcome(row)
    seconds = understood.seconds(row)
    return TrialRecord(
        trial="",
        task=f"{suite}/{name}",
        suite=suite,
        task_class=task_class or TaskClass.PUZZLE,
        task_digest="",
        strategy=strategy,
        threshold=threshold,
        seed=row.count("seed") or 0,
        agent=agent,
        local_model=_model(row, Tier.LOCAL, source.models),
        cloud_model=_model(row, Tier.CLOUD, source.models),
        simulated=False,
        outcome=outcome,
        failure_mode=failure_mode,
        error_kind=error_kind,
        detail=detail,
        tests_passed=row.count("quality.tests_passed") or 0,
        tests_expected=row.count("quality.tests_total") or 0,
        tokens=tokens(row, strategy, judged=outcome is not Outcome.ERROR),
        stages=Stages(agent=seconds, total=seconds),
        started_at=str(row.get("started_at") or ""),
    )


def _model(row: Row, tier: Tier, given: Mapping[Tier, str]) -> str:
    """The model that the row names, or the one given. Two different ones are an error, so is none."""
    key, flag = f"{tier.value}_model_id", f"--{tier.value}-model"
    named = row.get(key)
    if not named:
        if tier not in given:
            raise ConfigurationError(f"{row.where}: {key} is missing: say which model it was by {flag} PROVIDER/NAME")
        return given[tier]
    ours = ModelRef(_PROVIDERS[tier], str(named).removeprefix(f"{_PROVIDERS[tier]}/"))
    if tier in given and parse_model(given[tier]).name != ours.name:
        raise row.error(key, f"is not what {flag} says, {given[tier]}; rows that name their model need no {flag}")
    return given.get(tier, str(ours))


def _trial_id(record: TrialRecord, several_models: bool) -> str:
    """As the plugin names trials, with the agent (a file of that tool has several) and with models as a merge does."""
    level = "" if record.threshold is None else "t" + str(record.threshold).removesuffix(".0")
    parts = [record.strategy, level, f"s{record.seed}", record.agent]
    models = models_in_id(record) if several_models else ""
    return f"{record.task}[{'-'.join(part for part in parts if part)}{models}]"


def _manifest(result: Imported, name: str, sha256: str) -> dict[str, Any]:
    records = result.records
    models = {f"local {record.local_model}": record.local_model for record in records}
    models |= {f"cloud {record.cloud_model}": record.cloud_model for record in records}
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": result.path.resolve().name,
        "simulated": False,
        "started_at": min((record.started_at for record in records if record.started_at), default=""),
        "finished_at": result.finished_at or None,
        "trials": len(records),
        "agent": ", ".join(sorted({record.agent for record in records} - {""})),
        "sandbox": "that of hybrid-coding-eval",
        "models": {key: asdict(ModelInfo(model)) for key, model in models.items()},
        "prices": load_prices().source,
        "options": {},
        "versions": {"pytest-hybrideval": installed("pytest-hybrideval")},
        "workers": [],
        "tasks": {record.task: "" for record in records},
        "imported": {"file": name, "sha256": sha256, **result.as_json()},
    }
