"""The room that decides a task: hidden tests over the agent's files, in a sandbox, judged from outside."""

from __future__ import annotations

from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
from pytest_hybrideval.scoring.limits import Limits

__all__ = ["HiddenTestScorer", "Limits"]
