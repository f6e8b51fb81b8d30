"""The bench. What runs import is imported here first: an inner run in this process would drop it again at its end."""

from __future__ import annotations

import aiohttp  # noqa: F401
import openai  # noqa: F401
import pydantic  # noqa: F401
import pytest
import scipy.stats  # noqa: F401
import stamina  # noqa: F401
import tabulate  # noqa: F401
from bench import Bench

import pytest_hybrideval.backends.openai
import pytest_hybrideval.backends.simulated
import pytest_hybrideval.gateway
import pytest_hybrideval.plugin.collection
import pytest_hybrideval.plugin.recording
import pytest_hybrideval.reporting.github
import pytest_hybrideval.reporting.report
import pytest_hybrideval.reporting.terminal
import pytest_hybrideval.scoring
import pytest_hybrideval.suites.manifest  # noqa: F401

CALLERS = (
    "GITHUB_STEP_SUMMARY",
    "GITHUB_WORKSPACE",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OLLAMA_HOST",
    "PYTEST_ADDOPTS",
    "PYTEST_XDIST_WORKER",
    "PYTEST_XDIST_WORKER_COUNT",
)


@pytest.fixture
def bench(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    """An empty bench. The caller's keys, model addresses and pytest options do not reach it.

    Of all plugins that happen to be installed only those that we work with are loaded: others cost seconds per run.
    """
    for name in CALLERS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "xdist.plugin,pytest_timeout,pytest_hybrideval.plugin")
    return Bench(pytester, tmp_path_factory.getbasetemp() / "inner-cache")
