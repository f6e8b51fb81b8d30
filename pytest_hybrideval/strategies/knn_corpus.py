"""The labelled requests that embedding-knn compares with: read and checked from YAML, embedded once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.errors import BackendError, ConfigurationError
from pytest_hybrideval.core.protocols import Embed
from pytest_hybrideval.strategies import yaml_file

PACKAGED = "knn_corpus.yaml"
Vector = tuple[float, ...]


@dataclass(frozen=True)
class Example:
    """A request with the tier that it belongs to; `why` in a word or two, for the decision's reason."""

    text: str
    tier: Tier
    why: str = ""


class Corpus:
    """Labelled requests, and their vectors once an embedding model has been asked for them."""

    def __init__(self, examples: Sequence[Example]) -> None:
        """`examples` are compared with in their order where they are equally near."""
        self.examples = tuple(examples)
        self._vectors: tuple[Vector, ...] | None = None
        self._asking = asyncio.Lock()

    @property
    def cloud_share(self) -> float:
        """The part of the examples that belongs to the cloud, in [0, 1]."""
        return sum(example.tier is Tier.CLOUD for example in self.examples) / len(self.examples)

    async def vectors(self, embed: Embed) -> tuple[Vector, ...]:
        """The examples' vectors, of length 1. Only the first call asks for them; what fails is asked for again.

        Raises `BackendError` where there are none.
        """
        async with self._asking:
            if self._vectors is None:
                found = (await embed([example.text for example in self.examples])).vectors
                if len(found) != len(self.examples):
                    raise BackendError(
                        f"{len(found)} embeddings came back for {len(self.examples)} texts of the corpus"
                    )
                self._vectors = tuple(map(unit, found))
        return self._vectors


def unit(vector: Sequence[float]) -> Vector:
    """The vector scaled to length 1; one of zeros as it is."""
    length = math.sqrt(math.fsum(number * number for number in vector))
    return tuple(number / length for number in vector) if length else tuple(vector)


def load_corpus(file: Path | None = None) -> Corpus:
    """The corpus in a YAML file, by default the packaged one.

    Raises `ConfigurationError` that names the file, and the entry where one is wrong.
    """
    if file is None:
        return parse_corpus(resources.files("pytest_hybrideval.data").joinpath(PACKAGED).read_text("utf-8"), PACKAGED)
    return parse_corpus(yaml_file.read_text(file, "knn corpus"), str(file))


def parse_corpus(text: str, name: str) -> Corpus:
    """A corpus from YAML: a list of `{text, tier, why}`. Raises `ConfigurationError` as `load_corpus` does."""
    document = yaml_file.parse(text, f"knn corpus {name}")
    if not isinstance(document, list) or not document:
        raise ConfigurationError(f"knn corpus {name}: must be a list of entries, each with 'text' and 'tier'")
    examples: dict[str, Example] = {}
    for number, fields in enumerate(document, 1):
        example = _example(fields, f"knn corpus {name}: entry {number}")
        if example.text in examples:
            raise ConfigurationError(f"knn corpus {name}: entry {number}: this 'text' has stood before")
        examples[example.text] = example
    missing = {tier.value for tier in Tier} - {example.tier.value for example in examples.values()}
    if missing:
        raise ConfigurationError(
            f"knn corpus {name}: no entry has tier {', '.join(missing)}, so nothing could go there"
        )
    return Corpus(tuple(examples.values()))


def _example(fields: Any, where: str) -> Example:
    if not isinstance(fields, dict) or {"text", "tier"} - set(fields) or set(fields) - {"text", "tier", "why"}:
        raise ConfigurationError(f"{where}: needs 'text' and 'tier', may have 'why', and nothing else")
    text, tier, why = fields["text"], fields["tier"], fields.get("why", "")
    if not isinstance(text, str) or not text.strip():
        raise ConfigurationError(f"{where}: 'text' must be a request in words, not {text!r}")
    if tier not in [known.value for known in Tier]:
        raise ConfigurationError(f"{where}: 'tier' must be local or cloud, not {tier!r}")
    if not isinstance(why, str):
        raise ConfigurationError(f"{where}: 'why' must be text, not {why!r}")
    return Example(" ".join(text.split()), Tier(tier), " ".join(why.split()))
