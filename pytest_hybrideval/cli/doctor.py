"""`hybrideval doctor`: which sandbox levels work on this machine, what each blocks, and how to get the better one."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from pytest_hybrideval.cli.application import NegativeAnswer

if TYPE_CHECKING:
    from pytest_hybrideval.sandbox.probes import Blocks

_WARM = "namespaces"
_KINDS = ("network", "reading", "writing", "processes")
_COLUMNS = ("level", "works here", "network", "files outside", "writing outside", "other processes")


@dataclass(frozen=True)
class _Level:
    """A level as it was found: what it blocks, or why it does not work."""

    name: str
    blocks: Blocks | None
    why: str

    @property
    def encloses(self) -> bool:
        """Whether it blocks all that was tried."""
        return self.blocks is not None and all(getattr(self.blocks, kind) for kind in _KINDS)


def doctor_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Say what this machine can do: sandbox levels tried out, versions, what is missing and how to get it.

    A level blocks what the table says because a script inside tried it. Exit code 1 where no level encloses.

    Example:
      hybrideval doctor
    """
    levels = _tried_levels()
    facts = _facts()
    best = next((level for level in levels if level.encloses), None)
    if as_json:
        typer.echo(json.dumps(_as_json(levels, facts, best), indent=2))
    else:
        typer.echo(_table(levels))
        typer.echo("\n" + "\n".join(f"{name}: {value}" for name, value in facts.items()))
        typer.echo(f"\n'auto' takes {_auto(levels)} here{_how(levels)}{_better(levels)}")
        for level in levels:
            if level.why:
                typer.echo(f"{level.name} does not work here: {level.why}")
    if best is None:
        raise NegativeAnswer("no sandbox level encloses what it runs on this machine; agents and tests run unprotected")


def _tried_levels() -> list[_Level]:
    from pytest_hybrideval.core.errors import HybridEvalError
    from pytest_hybrideval.sandbox.choice import LEVELS, tried
    from pytest_hybrideval.sandbox.probes import blocks

    found = []
    for name in LEVELS:
        sandbox, why = tried(name)
        result = None
        if sandbox is not None:
            try:
                result = blocks(sandbox)
            except (HybridEvalError, OSError) as problem:
                why = str(problem)
        found.append(_Level(name, result, why))
    return found


def _facts() -> dict[str, str]:
    """Versions of what runs here."""
    import platform
    import sys
    from importlib.metadata import PackageNotFoundError, version

    facts = {"python": f"{platform.python_version()} ({sys.executable})", "system": platform.platform()}
    for package in ("pytest-hybrideval", "pytest", "aider-chat"):
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = f"not installed; get it with 'pip install {package}'"
    return facts


def _auto(levels: list[_Level]) -> str:
    """What runs trials: the level that can be warm where it works, else the best."""
    working = [level.name for level in levels if level.blocks is not None]
    return _WARM if _WARM in working else next(iter(working), "nothing")


def _how(levels: list[_Level]) -> str:
    cold = next((level.name for level in levels if level.blocks is not None), "")
    if _auto(levels) != _WARM or cold == _WARM:
        return ""
    return f", where processes can be forked from warm ones ({cold} with --hybrid-scoring-warm off)"


def _better(levels: list[_Level]) -> str:
    return "" if levels[0].blocks is not None else f"; the better one is {levels[0].name}, see below"


def _as_json(levels: list[_Level], facts: dict[str, str], best: _Level | None) -> dict[str, object]:
    return {
        "levels": [
            {
                "name": level.name,
                "works": level.blocks is not None,
                "blocks": asdict(level.blocks) if level.blocks else None,
                "why_not": level.why or None,
            }
            for level in levels
        ],
        "auto": _auto(levels),
        "encloses": best is not None,
        "facts": facts,
    }


def _table(levels: list[_Level]) -> str:
    from tabulate import tabulate

    rows = [
        [level.name, "yes", *("blocked" if getattr(level.blocks, kind) else "NOT blocked" for kind in _KINDS)]
        if level.blocks
        else [level.name, "no", *([""] * len(_KINDS))]
        for level in levels
    ]
    text = tabulate(rows, headers=_COLUMNS, tablefmt="plain", disable_numparse=True)
    return "\n".join(line.rstrip() for line in text.splitlines())
