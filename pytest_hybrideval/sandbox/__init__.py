"""The room that runs a command so that it can do no harm: levels of enclosure behind one protocol."""

from __future__ import annotations

from pytest_hybrideval.sandbox.choice import Sandbox, choose
from pytest_hybrideval.sandbox.process import Job, RunResult

__all__ = ["Job", "RunResult", "Sandbox", "choose"]
