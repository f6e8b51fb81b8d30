"""The folder formats of tasks: which folder is a task, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_hybrideval.core.protocols import Suite
from pytest_hybrideval.suites.exercism import ExercismSuite
from pytest_hybrideval.suites.harbor import HarborSuite
from pytest_hybrideval.suites.native import NativeSuite

BUILTIN: Mapping[str, Suite] = {"native": NativeSuite(), "exercism": ExercismSuite(), "harbor": HarborSuite()}
