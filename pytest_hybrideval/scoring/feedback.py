"""What an agent is shown of the hidden tests before another try: their own words, cut to a readable length."""

from __future__ import annotations

import json
import re
from pathlib import Path

_TESTS = 10
_LINES = 40
_CHARACTERS = 12_000
_SCRATCH = re.compile(r"/\S*?hybrideval-score-\w+/(root/)?")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


def failure_texts(report: Path) -> str:
    """The failing tests of a test report (`tests.json`) with what each said; empty where there is no such report."""
    try:
        told = json.loads(report.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    failing = [*told["collection_errors"], *(test for test in told["tests"] if test["outcome"] != "passed")]
    parts = [f"{test['id']}\n{_shortened(_settled(test['text']))}".rstrip() for test in failing[:_TESTS]]
    if len(failing) > _TESTS:
        parts.append(f"and {len(failing) - _TESTS} more tests")
    if told["timed_out"]:
        parts.append(told["detail"])
    return "\n\n".join(parts)[:_CHARACTERS]


def _settled(text: str) -> str:
    """The text without what is another at every run, so that equal trials are shown equal texts."""
    return _ADDRESS.sub("0x0", _SCRATCH.sub("", text))


def _shortened(text: str) -> str:
    lines = text.strip().splitlines()
    if len(lines) > _LINES:
        lines = [*lines[: _LINES // 2], "...", *lines[-_LINES // 2 :]]
    return "\n".join(lines)
