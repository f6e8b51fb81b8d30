"""The namespaces level: what bubblewrap does, by Linux system calls from Python, where `bwrap` is not installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_hybrideval.sandbox.process import Job, RunResult, run_process
from pytest_hybrideval.sandbox.view import PRIVATE_TMP_BYTES, view

_ENCLOSURE = Path(__file__).with_name("enclosure.py")


class Namespaces:
    """Runs the command behind `enclosure.py`, which builds the same closed view as bubblewrap and then becomes it.

    Needs Linux 5.12 (read-only mounts in one call) and leave to make user namespaces.
    """

    name = "namespaces"
    label = (
        "namespaces: no network, no files but a read-only system and the scratch folder, no processes but its own; "
        "time, memory, processes and output are limited"
    )

    def command(self, job: Job) -> list[str]:
        """The enclosing script, the view as JSON, and the job's `argv`. See `enclosure.py`."""
        return [sys.executable, "-I", "-S", "-B", str(_ENCLOSURE), json.dumps(self.plan(job)), *job.argv]

    def plan(self, job: Job) -> dict[str, Any]:
        """What the enclosure shows and hides for a job, as `enclosure.py` reads it."""
        shown = view(job)
        return {
            "system": _sources(shown.system),
            "links": [[str(link), target] for link, target in shown.links],
            "hidden": [str(path) for path in shown.hidden],
            "read_only": _sources(shown.read_only),
            "writable": [[str(outside), str(inside)] for outside, inside in shown.writable],
            "frozen": [str(inside) for _, inside in shown.frozen],
            "tmp_bytes": PRIVATE_TMP_BYTES,
        }

    def run(self, job: Job) -> RunResult:
        """Run the job to its end. See `Sandbox.run`."""
        return run_process(self.command(job), job)


def _sources(paths: Sequence[Path]) -> list[list[str]]:
    """Each path after the one that its symbolic links lead to."""
    return [[str(path.resolve()), str(path)] for path in paths]
