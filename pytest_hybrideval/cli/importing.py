"""`hybrideval import`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer


def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A raw.jsonl of hybrid-coding-eval, 1.0 to 1.6.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The new run's directory.")],
    local_model: Annotated[
        str | None, typer.Option(metavar="PROVIDER/NAME", help="The local model, where rows do not name it.")
    ] = None,
    cloud_model: Annotated[
        str | None, typer.Option(metavar="PROVIDER/NAME", help="The cloud model, where rows do not name it.")
    ] = None,
) -> None:
    r"""Make a run of the rows of hybrid-coding-eval.

    Every row becomes a record; the rows stay as they were in imported.jsonl. What they do not say is named here and in
    the manifest, and is unknown: never zero, never a guess.

    Example:
      hybrideval import raw.jsonl -o results/old \
          --local-model ollama/gemma4:31b --cloud-model openai/gpt-5.5
    """
    from pytest_hybrideval.reporting import ancestor

    done = ancestor.import_rows(file, output, local_model=local_model, cloud_model=cloud_model)
    outcomes = Counter(record.outcome.value for record in done.records)
    counts = f"{outcomes['passed']} passed, {outcomes['failed']} failed, {outcomes['error']} errors"
    typer.echo(f"{output}: {len(done.records)} trials from {done.rows} rows of {file}: {counts}")
    notes = {
        "missing keys": _counted(done.missing_keys),
        "unknown keys, kept in imported.jsonl": ", ".join(sorted(done.unknown_keys)),
        "unknown categories, taken for puzzles": _counted(done.unknown_categories),
        "rows whose tokens are unknown": str(done.unknown_tokens or ""),
        "identical rows, taken once": str(done.identical or ""),
        "repeated trials, numbered #2, #3, ...": str(done.repeated or ""),
    }
    for title, text in notes.items():
        if text:
            typer.echo(f"{title}: {text}")


def _counted(keys: Counter[str]) -> str:
    return ", ".join(f"{key} ({count})" for key, count in sorted(keys.items()))
