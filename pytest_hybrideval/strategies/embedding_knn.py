"""Route by likeness: the labelled requests that are nearest in meaning vote, the nearer with more weight."""

from __future__ import annotations

import heapq
from functools import partial
from operator import mul
from typing import ClassVar

from pytest_hybrideval.core.domain import ChatRequest, Decision, Tier
from pytest_hybrideval.core.errors import BackendError, ConfigurationError
from pytest_hybrideval.core.protocols import RoutingContext, StrategyFactory
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.core.signals import read_request
from pytest_hybrideval.strategies.knn_corpus import Corpus, Example, Vector, load_corpus, unit

_EXCERPT = 1000  # the smallest embedding models in use take 256 to 512 tokens
_QUOTED = 50


class EmbeddingKnn:
    """The k nearest of a labelled corpus vote by their cosine similarity; the threshold is the share that cloud needs.

    What is compared is the beginning of the instruction. The corpus is embedded at the first request of the process,
    and its tokens are overhead of that trial; each request's own embedding is overhead of its trial.
    """

    name: ClassVar[str] = "embedding-knn"
    default_threshold: ClassVar[float] = 0.5
    embeds: ClassVar[bool] = True

    def __init__(self, corpus: Corpus, k: int) -> None:
        """`corpus` is shared by all strategies of the process; `k` is how many of it vote."""
        self._corpus = corpus
        self._k = k

    @classmethod
    def configured(cls, options: StrategyOptions, argument: str) -> StrategyFactory:
        """The strategy with the run's k and corpus, which is read here. Raises `ConfigurationError`."""
        if argument:
            raise ConfigurationError(
                f"strategy '{cls.name}' takes no argument; --hybrid-knn-k and --hybrid-knn-corpus are its options"
            )
        corpus = load_corpus(options.knn_corpus)
        if not 1 <= options.knn_k <= len(corpus.examples):
            raise ConfigurationError(
                f"--hybrid-knn-k: {options.knn_k} neighbours cannot be had from a corpus of {len(corpus.examples)}"
            )
        return partial(cls, corpus, options.knn_k)

    async def decide(self, request: ChatRequest, context: RoutingContext) -> Decision:
        """Cloud where its share of the neighbours' votes reaches the threshold."""
        least = self.default_threshold if context.threshold is None else context.threshold
        instruction = read_request(request).instruction[:_EXCERPT]
        if not instruction.strip():
            return self._decided(self._corpus.cloud_share, least, "of the whole corpus: there is no instruction")
        corpus = await self._corpus.vectors(context.embed)
        nearest = heapq.nlargest(
            self._k,
            zip(_similarities(await _embedded(instruction, context), corpus), self._corpus.examples, strict=True),
            key=lambda neighbour: neighbour[0],
        )
        votes = sum(similarity for similarity, _ in nearest)
        if not votes:
            return self._decided(self._corpus.cloud_share, least, "of the whole corpus: nothing in it is alike")
        cloud = sum(similarity for similarity, example in nearest if example.tier is Tier.CLOUD)
        return self._decided(cloud / votes, least, f"of {self._k} neighbours, nearest {_quoted(*nearest[0])}")

    def _decided(self, share: float, least: float, whose: str) -> Decision:
        cloud = share >= least
        reason = f"cloud share {share:.2f} {'>=' if cloud else '<'} {least:g} {whose}"
        return Decision(Tier.CLOUD if cloud else Tier.LOCAL, reason, round(share, 3))


async def _embedded(text: str, context: RoutingContext) -> Vector:
    """The vector of one text, of length 1."""
    (vector,) = (await context.embed([text])).vectors
    return unit(vector)


def _similarities(vector: Vector, others: tuple[Vector, ...]) -> list[float]:
    """Cosine of the angle to each, none below 0: what points the other way has no vote. All are of length 1."""
    if len(vector) != len(others[0]):
        raise BackendError(f"the request's embedding has {len(vector)} numbers, those of the corpus {len(others[0])}")
    return [max(0.0, sum(map(mul, vector, other))) for other in others]


def _quoted(similarity: float, example: Example) -> str:
    text = example.text if len(example.text) <= _QUOTED else example.text[:_QUOTED] + "…"
    return f"{text!r} ({example.tier.value}{', ' + example.why if example.why else ''}; {similarity:.2f})"
