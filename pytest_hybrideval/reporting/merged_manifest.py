"""Whether runs belong together, and the manifest of all of them.

The manifest of merged runs keeps the original ones under `merged` and is worked out from these alone. So it does not
matter in how many steps runs were merged, nor whether one of them was there twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_hybrideval.core.errors import HybridEvalError
from pytest_hybrideval.core.records import SCHEMA_VERSION
from pytest_hybrideval.reporting.runs import Run

Manifest = Mapping[str, Any]

# What the verdict or the tokens of a trial depend on, whichever strategy, seed or model it has.
_VERSIONS = ("pytest-hybrideval", "aider-chat")
_TIER_OPTIONS = ("temperature", "max_tokens", "num_ctx", "think")
_OPTIONS = ("aider_format", "agent_timeout", "tries")
_WHERE = ("run_id", "results_dir")


class RunsDiffer(HybridEvalError):
    """Runs that cannot be one; the text names what differs, both values and both runs."""


def check_agreement(runs: Sequence[Run]) -> None:
    """Raises `RunsDiffer` for the first key that has two values. A key that a run does not have decides nothing."""
    seen: dict[str, tuple[Any, Run]] = {}
    for run in runs:
        for key, value in deciding(run.manifest):
            first, other = seen.setdefault(key, (value, run))
            if first != value:
                raise RunsDiffer(
                    f"{key} is {first!r} in {other.path} and {value!r} in {run.path}; "
                    "merge only runs of the same tasks, models, agent and settings"
                )


def merged_manifest(runs: Sequence[Run], run_id: str, trials: int) -> dict[str, Any]:
    """The manifest of the merged run. What differs between the originals is joined, or left to them."""
    originals = _originals(run.manifest for run in runs)
    finished = [str(original.get("finished_at") or "") for original in originals]
    manifest: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "run_id": ""}
    manifest |= _common(originals)
    manifest |= {
        "run_id": run_id,
        "simulated": any(original.get("simulated") for original in originals),
        "started_at": min(str(original.get("started_at") or "") for original in originals),
        "finished_at": max(finished) if all(finished) else None,
        "trials": trials,
        "agent": _joined(original.get("agent") for original in originals),
        "agent_sandbox": _joined(original.get("agent_sandbox") for original in originals),
        "sandbox": _joined(original.get("sandbox") for original in originals),
        "python": _joined(original.get("python") for original in originals),
        "platform": _joined(original.get("platform") for original in originals),
    }
    manifest["options"] = {key: value for key, value in manifest.get("options", {}).items() if key not in _WHERE}
    for name in ("models", "tasks", "versions"):
        manifest[name] = _united(original.get(name, {}) for original in originals)
    imported: list[Manifest] = []
    for original in originals:
        imported += [block for block in [original.get("imported")] if block and block not in imported]
    if imported:
        manifest["imported"] = imported[0] if len(imported) == 1 else _pooled_imports(imported)
    return {**manifest, "merged": originals}


def deciding(manifest: Manifest) -> Iterator[tuple[str, Any]]:
    """The keys that must have one value in all runs, dotted, with their values."""
    for name in ("schema_version", "agent", "prices"):
        if manifest.get(name):
            yield name, manifest[name]
    yield from ((f"tasks.{task}", digest) for task, digest in manifest.get("tasks", {}).items())
    for model, info in manifest.get("models", {}).items():
        yield from ((f"models.{model}.{key}", value) for key, value in info.items())
    versions, options = manifest.get("versions", {}), manifest.get("options", {})
    yield from ((f"versions.{name}", versions[name]) for name in _VERSIONS if name in versions)
    yield from ((f"options.{name}", options[name]) for name in _OPTIONS if name in options)
    for tier in ("local", "cloud"):
        chosen = options.get(tier, {})
        yield from ((f"options.{tier}.{name}", chosen[name]) for name in _TIER_OPTIONS if name in chosen)


def _originals(manifests: Iterable[Manifest]) -> list[Manifest]:
    found: list[Manifest] = []
    for manifest in manifests:
        found += [original for original in manifest.get("merged", [manifest]) if original not in found]
    return found


def _common(values: Sequence[Manifest]) -> dict[str, Any]:
    """What all have: equal values as they are, lists united in order, dicts likewise; what differs is left out."""
    result: dict[str, Any] = {}
    for key in values[0]:
        found = [value[key] for value in values if key in value]
        if len(found) < len(values):
            continue
        if all(value == found[0] for value in found):
            result[key] = found[0]
        elif all(isinstance(value, dict) for value in found):
            result[key] = _common(found)
        elif all(isinstance(value, list) for value in found):
            united: list[Any] = []
            for value in found:
                united += [item for item in value if item not in united]
            result[key] = united
    return result


def _united(dicts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All keys. Where a key has several values (versions of what may differ), they are joined."""
    values: dict[str, list[Any]] = {}
    for each in dicts:
        for key, value in each.items():
            if value not in values.setdefault(key, []):
                values[key].append(value)
    return {key: _one(found) for key, found in values.items()}


def _one(values: Sequence[Any]) -> Any:
    if len(values) == 1:
        return values[0]
    return _united(values) if all(isinstance(value, dict) for value in values) else _joined(values)


def _joined(values: Iterable[Any]) -> str:
    return " | ".join(dict.fromkeys(str(value) for value in values if value))


def _pooled_imports(imported: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    missing: Counter[str] = Counter()
    for each in imported:
        missing.update(each["missing_keys"])
    return {
        "files": list(imported),
        "rows": sum(each["rows"] for each in imported),
        "versions": sorted({version for each in imported for version in each["versions"]}),
        "unknown_keys": sorted({key for each in imported for key in each["unknown_keys"]}),
        "missing_keys": dict(sorted(missing.items())),
    }
