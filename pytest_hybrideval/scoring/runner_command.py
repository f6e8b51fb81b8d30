"""The command that runs hidden tests, cold; the warm way recognises its jobs by it."""

from __future__ import annotations

from pathlib import Path

RUNNER = Path(__file__).with_name("runner.py")
PROGRAM = tuple(
    Path(__file__).with_name(f"runner{part}.py")
    for part in ("", "_child", "_guard", "_signals", "_source", "_equal", "_frozen", "_watch")
)


def runner_command(python: str) -> list[str]:
    """`runner.py` under an interpreter: no user site (it is hidden), no bytecode (nothing is writable)."""
    return [python, "-s", "-B", str(RUNNER)]
