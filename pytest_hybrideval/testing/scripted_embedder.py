"""An embedding model that follows a script, for strategies that compare texts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from pytest_hybrideval.core.domain import Embedding, Usage


class ScriptedEmbedder:
    """Gives each text its vector. `texts` has every batch that was asked for, oldest first.

    An instance is what a `RoutingContext` takes as `embed`.
    """

    def __init__(
        self,
        vectors: Mapping[str, Sequence[float]] | None = None,
        *,
        dimensions: int = 16,
        error: Exception | None = None,
    ) -> None:
        """`vectors` by text; a text that is not in it gets one of its own, of `dimensions` numbers from 0 to 1.

        `error` is raised instead, whatever is asked.
        """
        self.texts: list[list[str]] = []
        self._vectors = dict(vectors or {})
        self._dimensions = dimensions
        self._error = error

    async def __call__(self, texts: Sequence[str]) -> Embedding:
        """The vectors; each text counts as three tokens."""
        self.texts.append(list(texts))
        if self._error is not None:
            raise self._error
        vectors = tuple(tuple(map(float, self._vectors.get(text) or self._made_up(text))) for text in texts)
        return Embedding(vectors, Usage(prompt=3 * len(texts), completion=0))

    def _made_up(self, text: str) -> list[float]:
        digest = hashlib.shake_128(text.encode(errors="surrogatepass")).digest(self._dimensions)
        return [byte / 255 for byte in digest]
