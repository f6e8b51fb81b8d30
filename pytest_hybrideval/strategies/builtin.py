"""The packaged strategies by name. Apart from the package itself, so that naming one imports none of the others."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_hybrideval.core.protocols import StrategyOffer
from pytest_hybrideval.strategies.always import AlwaysCloud, AlwaysLocal
from pytest_hybrideval.strategies.cascade import Cascade
from pytest_hybrideval.strategies.embedding_knn import EmbeddingKnn
from pytest_hybrideval.strategies.escalate import Escalate
from pytest_hybrideval.strategies.heuristic import Heuristic
from pytest_hybrideval.strategies.llm_classifier import LlmClassifier
from pytest_hybrideval.strategies.phase_aware import PhaseAware
from pytest_hybrideval.strategies.random import Random
from pytest_hybrideval.strategies.rules import Rules
from pytest_hybrideval.strategies.task_aware import TaskAware
from pytest_hybrideval.strategies.url import UrlRouter

BUILTIN: Mapping[str, StrategyOffer] = {
    "always-cloud": AlwaysCloud,
    "always-local": AlwaysLocal,
    "heuristic": Heuristic,
    "cascade": Cascade,
    "rules": Rules,
    "phase-aware": PhaseAware,
    "task-aware": TaskAware,
    "llm-classifier": LlmClassifier,
    "embedding-knn": EmbeddingKnn,
    "escalate": Escalate,
    "random": Random,
    "url": UrlRouter,
}
