"""The nearest examples vote by their likeness; the corpus is checked, packaged or of one's own, and embedded once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from builders import code_request, edit_request, plan_request
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hybrideval.backends.embeddings import hashed_words
from pytest_hybrideval.core.domain import ChatRequest, Decision, Embedding, Tier
from pytest_hybrideval.core.errors import BackendError, ConfigurationError
from pytest_hybrideval.core.protocols import Embed, StrategyFactory, declared
from pytest_hybrideval.core.settings import StrategyOptions
from pytest_hybrideval.strategies.embedding_knn import EmbeddingKnn
from pytest_hybrideval.strategies.knn_corpus import Corpus, Example, load_corpus, parse_corpus
from pytest_hybrideval.testing import ScriptedEmbedder, make_context

EAST, NORTH, WEST = (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)
NORTHEAST = (3.0, 4.0)  # of length 5: its cosine to EAST is .6, to NORTH .8
EXAMPLES = (Example("easy", Tier.LOCAL, "small"), Example("hard", Tier.CLOUD, "race"), Example("odd", Tier.CLOUD))
VECTORS = {"easy": EAST, "hard": NORTH, "odd": WEST}
TASK = plan_request("Greet.")


def decide(
    vector: Sequence[float],
    k: int = 2,
    threshold: float | None = None,
    request: ChatRequest = TASK,
    examples: Sequence[Example] = EXAMPLES,
) -> Decision:
    """What is decided where the instruction has this vector."""
    embedder = ScriptedEmbedder({**VECTORS, "Greet.": vector}, dimensions=2)
    return run(EmbeddingKnn(Corpus(examples), k), embedder, request, threshold)


def run(strategy: EmbeddingKnn, embed: Embed, request: ChatRequest = TASK, threshold: float | None = None) -> Decision:
    return asyncio.run(strategy.decide(request, make_context(embed=embed, threshold=threshold)))


@pytest.mark.parametrize(("vector", "tier"), [(EAST, Tier.LOCAL), (NORTH, Tier.CLOUD), (WEST, Tier.CLOUD)])
def test_the_nearest_example_decides_alone(vector: Sequence[float], tier: Tier) -> None:
    assert decide(vector, k=1).tier is tier


def test_neighbours_vote_by_their_likeness() -> None:
    decision = decide(NORTHEAST)
    assert decision.score == pytest.approx(0.8 / 1.4, abs=1e-3)
    assert decision == Decision(
        Tier.CLOUD, "cloud share 0.57 >= 0.5 of 2 neighbours, nearest 'hard' (cloud, race; 0.80)", 0.571
    )


def test_what_points_the_other_way_has_no_vote() -> None:
    assert decide(EAST, k=3).score == 0.0, "easy at 1, hard at 0, odd at -1"


@pytest.mark.parametrize(("threshold", "tier"), [(0.5, Tier.CLOUD), (0.57, Tier.CLOUD), (0.58, Tier.LOCAL)])
def test_the_threshold_is_the_share_that_the_cloud_needs(threshold: float, tier: Tier) -> None:
    assert decide(NORTHEAST, threshold=threshold).tier is tier


def test_without_a_threshold_the_default_decides() -> None:
    assert decide(NORTHEAST) == decide(NORTHEAST, threshold=EmbeddingKnn.default_threshold)


@pytest.mark.parametrize(("threshold", "tier"), [(0.0, Tier.CLOUD), (1.01, Tier.LOCAL)])
def test_thresholds_that_leave_no_choice(threshold: float, tier: Tier) -> None:
    assert {decide(vector, threshold=threshold).tier for vector in (EAST, NORTH, WEST)} == {tier}


def test_of_examples_that_are_equally_near_the_first_ones_count() -> None:
    twins = (Example("easy", Tier.LOCAL), Example("hard", Tier.CLOUD))
    assert decide((1.0, 1.0), k=1, examples=twins).tier is Tier.LOCAL
    assert decide((1.0, 1.0), k=1, examples=twins[::-1]).tier is Tier.CLOUD


@pytest.mark.parametrize("request_", [plan_request(""), ChatRequest({"messages": [{"role": "user", "content": None}]})])
def test_without_an_instruction_nobody_is_asked_and_the_corpus_share_counts(request_: ChatRequest) -> None:
    embedder = ScriptedEmbedder()
    decision = run(EmbeddingKnn(Corpus(EXAMPLES), 2), embedder, request_)
    assert decision.reason == "cloud share 0.67 >= 0.5 of the whole corpus: there is no instruction"
    assert embedder.texts == []


def test_where_nothing_is_alike_the_corpus_share_counts() -> None:
    decision = decide((0.0, 0.0))
    assert decision.reason == "cloud share 0.67 >= 0.5 of the whole corpus: nothing in it is alike"
    assert decide((0.0, 0.0), threshold=0.7).tier is Tier.LOCAL


def test_the_corpus_is_embedded_once_for_all_trials_and_in_one_batch() -> None:
    corpus, embedder = Corpus(EXAMPLES), ScriptedEmbedder()
    for _ in range(3):
        run(EmbeddingKnn(corpus, 2), embedder)
    assert embedder.texts == [["easy", "hard", "odd"], ["Greet."], ["Greet."], ["Greet."]]


def test_requests_at_the_same_time_embed_the_corpus_once() -> None:
    corpus, embedder = Corpus(EXAMPLES), ScriptedEmbedder()

    async def slowly(texts: Sequence[str]) -> Embedding:
        await asyncio.sleep(0.001)
        return await embedder(texts)

    async def together() -> None:
        deciding = [EmbeddingKnn(corpus, 2).decide(TASK, make_context(embed=slowly)) for _ in range(4)]
        await asyncio.gather(*deciding)

    asyncio.run(together())
    assert sorted(map(len, embedder.texts)) == [1, 1, 1, 1, 3]


def test_a_corpus_that_could_not_be_embedded_is_tried_again() -> None:
    corpus = Corpus(EXAMPLES)
    with pytest.raises(BackendError, match="gone"):
        run(EmbeddingKnn(corpus, 2), ScriptedEmbedder(error=BackendError("gone")))
    assert run(EmbeddingKnn(corpus, 2), ScriptedEmbedder()).reason


def test_vectors_of_another_model_are_refused() -> None:
    corpus = Corpus(EXAMPLES)
    run(EmbeddingKnn(corpus, 2), ScriptedEmbedder(dimensions=4))
    with pytest.raises(BackendError, match="the request's embedding has 5 numbers, those of the corpus 4"):
        run(EmbeddingKnn(corpus, 2), ScriptedEmbedder(dimensions=5))


def test_a_corpus_of_which_some_came_back_is_refused() -> None:
    async def short(texts: Sequence[str]) -> Embedding:
        return Embedding(((1.0, 0.0),))

    with pytest.raises(BackendError, match="1 embeddings came back for 3 texts of the corpus"):
        run(EmbeddingKnn(Corpus(EXAMPLES), 2), short)


def test_the_beginning_of_the_instruction_is_compared_without_aiders_rules() -> None:
    embedder = ScriptedEmbedder()
    run(EmbeddingKnn(Corpus(EXAMPLES), 2), embedder, code_request("Make slugs.", {"a.py": "SECRET\n"}))
    run(EmbeddingKnn(Corpus(EXAMPLES), 2), embedder, edit_request("word " * 5000))
    assert embedder.texts[1] == ["Make slugs."]
    assert len(embedder.texts[3][0]) == 1000


class TestConfiguration:
    """What the run's options make of it."""

    def made(self, tmp_path: Path, text: str | bytes | None = None, k: int = 5) -> StrategyFactory:
        file = None
        if text is not None:
            file = tmp_path / "mine.yaml"
            file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return EmbeddingKnn.configured(StrategyOptions(knn_k=k, knn_corpus=file), "")

    def test_by_default_the_packaged_corpus_and_five_neighbours(self, tmp_path: Path) -> None:
        decision = run(self.made(tmp_path)(), ScriptedEmbedder())  # type: ignore[arg-type]
        assert "of 5 neighbours" in decision.reason

    def test_the_factory_says_what_a_class_would(self, tmp_path: Path) -> None:
        factory = self.made(tmp_path)
        assert declared(factory, "default_threshold", None) == 0.5
        assert declared(factory, "embeds", False) is True

    def test_all_strategies_of_a_factory_share_the_corpus(self, tmp_path: Path) -> None:
        factory, embedder = self.made(tmp_path), ScriptedEmbedder()
        for _ in range(2):
            run(factory(), embedder)  # type: ignore[arg-type]
        assert list(map(len, embedder.texts)) == [len(load_corpus().examples), 1, 1]

    def test_k_and_a_corpus_of_ones_own(self, tmp_path: Path) -> None:
        factory = self.made(tmp_path, "- {text: a b, tier: local}\n- {text: ' c\n   d', tier: cloud, why: race}", k=2)
        embedder = ScriptedEmbedder()
        assert "of 2 neighbours" in run(factory(), embedder).reason  # type: ignore[arg-type]
        assert embedder.texts[0] == ["a b", "c d"]

    @pytest.mark.parametrize("k", [0, -1, 3])
    def test_k_that_cannot_be_had(self, tmp_path: Path, k: int) -> None:
        with pytest.raises(ConfigurationError, match=rf"--hybrid-knn-k: {k} neighbours .* corpus of 2"):
            self.made(tmp_path, "- {text: a, tier: local}\n- {text: b, tier: cloud}", k=k)

    def test_an_argument_is_refused(self) -> None:
        with pytest.raises(ConfigurationError, match="takes no argument; --hybrid-knn-k and --hybrid-knn-corpus"):
            EmbeddingKnn.configured(StrategyOptions(), "7")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", ": must be a list of entries"),
            ("[]", ": must be a list of entries"),
            ("text: a", ": must be a list of entries"),
            ("- [", ": not readable as YAML"),
            (b"- {text: \xff, tier: local}", ": not UTF-8"),
            ("- just text", ": entry 1: needs 'text' and 'tier'"),
            ("- {text: a, tier: local}\n- {text: b}", ": entry 2: needs 'text' and 'tier'"),
            ("- {text: a, tier: local, weight: 2}", ": entry 1: needs 'text' and 'tier', may have 'why', and nothing"),
            (
                "- {text: a, tier: local}\n- {text: 7, tier: cloud}",
                ": entry 2: 'text' must be a request in words, not 7",
            ),
            ("- {text: ' ', tier: local}", ": entry 1: 'text' must be a request in words"),
            ("- {text: a, tier: clod}", ": entry 1: 'tier' must be local or cloud, not 'clod'"),
            ("- {text: a, tier: [local]}", ": entry 1: 'tier' must be local or cloud"),
            ("- {text: a, tier: local, why: 3}", ": entry 1: 'why' must be text, not 3"),
            ("- {text: a b, tier: local}\n- {text: 'a  b', tier: cloud}", ": entry 2: this 'text' has stood before"),
            ("- {text: a, tier: local}\n- {text: b, tier: local}", ": no entry has tier cloud"),
            ("- {text: a, tier: cloud}", ": no entry has tier local"),
        ],
    )
    def test_a_corpus_that_is_wrong_is_refused_by_file_and_entry(
        self, tmp_path: Path, text: str | bytes, told: str
    ) -> None:
        with pytest.raises(ConfigurationError) as caught:
            self.made(tmp_path, text, k=1)
        assert str(caught.value).startswith(f"knn corpus {tmp_path / 'mine.yaml'}{told}")

    def test_a_corpus_that_is_missing_is_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"knn corpus .*none\.yaml: No such file or directory"):
            EmbeddingKnn.configured(StrategyOptions(knn_corpus=tmp_path / "none.yaml"), "")


class TestPackagedCorpus:
    """The labelled requests that ship with the package."""

    def test_it_is_large_even_and_says_why(self) -> None:
        corpus = load_corpus()
        assert len(corpus.examples) >= 60
        assert 0.4 <= corpus.cloud_share <= 0.6
        assert all(example.why for example in corpus.examples)

    def test_it_holds_no_task_of_the_benchmarks(self) -> None:
        """No example is near a benchmark's title or opening: it would decide that task by its label."""
        found = []
        for manifest in (Path(__file__).parents[2] / "benchmarks").glob("*/*/task.yaml"):
            fields = yaml.safe_load(manifest.read_text(encoding="utf-8"))
            opening = re.split(r"\n\n", fields["instruction"])[0]
            found += [fields["title"], opening]
        vectors = [hashed_words(text) for text in found]
        for example in load_corpus().examples:
            own = hashed_words(example.text)
            for text, vector in zip(found, vectors, strict=True):
                likeness = sum(a * b for a, b in zip(own, vector, strict=True))
                assert likeness < 0.7, (example.text, text)  # common words alone reach .62


def test_a_corpus_is_read_as_it_is_written() -> None:
    corpus = parse_corpus("- {text: a, tier: local, why: small}\n- {text: b, tier: cloud}", "x")
    assert corpus.examples == (Example("a", Tier.LOCAL, "small"), Example("b", Tier.CLOUD))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-10, 10), min_size=2, max_size=2), st.floats(0, 1), st.floats(0, 1), st.integers(1, 3))
def test_a_higher_threshold_never_sends_more_to_the_cloud(vector: list[float], one: float, two: float, k: int) -> None:
    low, high = (decide(vector, k, threshold) for threshold in sorted((one, two)))
    assert low.score == high.score
    assert 0.0 <= (low.score or 0.0) <= 1.0
    if high.tier is Tier.CLOUD:
        assert low.tier is Tier.CLOUD
