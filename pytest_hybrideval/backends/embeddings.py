"""Embeddings: what a server sends is checked, many texts go in batches; and the embedded models' own, by hashing."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from pytest_hybrideval.backends.faults import Peer
from pytest_hybrideval.core.domain import Embedding, Usage
from pytest_hybrideval.core.errors import BackendError

BATCH = 256  # texts in one request; servers take up to 2,048
DIMENSIONS = 256
_WORD = re.compile(r"\w+")

Vector = tuple[float, ...]


async def in_batches(peer: Peer, texts: Sequence[str], ask: Callable[[list[str]], Awaitable[Embedding]]) -> Embedding:
    """All texts' vectors, asked for `BATCH` at a time; tokens are summed, unknown where one request did not say.

    Raises `BackendError` unless all are of one length.
    """
    parts = [await ask(list(texts[start : start + BATCH])) for start in range(0, len(texts), BATCH)]
    vectors = tuple(vector for part in parts for vector in part.vectors)
    lengths = sorted({len(vector) for vector in vectors})
    if len(lengths) > 1:
        sizes = " and ".join(map(str, lengths))
        raise BackendError(
            f"{peer.name} gave embeddings of '{peer.model}' with {sizes} numbers; all must be alike long"
        )
    counts = [part.usage.prompt for part in parts]
    prompt = None if None in counts else sum(count for count in counts if count is not None)
    return Embedding(vectors, Usage(prompt=prompt, completion=0))


def checked_vectors(peer: Peer, found: Any, texts: int) -> tuple[Vector, ...]:
    """The vectors in a server's answer. Raises `BackendError` unless there is one per text, each a list of numbers."""
    vectors = found if isinstance(found, list) else []
    if len(vectors) != texts:
        raise BackendError(f"{peer.name} gave {len(vectors)} embeddings of '{peer.model}' for {texts} texts")
    if not all(isinstance(vector, list) and vector and all(map(_is_number, vector)) for vector in vectors):
        raise BackendError(f"{peer.name} gave an embedding of '{peer.model}' that is no list of numbers")
    return tuple(tuple(map(float, vector)) for vector in vectors)


def hashed_words(text: str) -> Vector:
    """The embedded models' embedding: a bag of words, each counted at the place that its hash gives, of length 1.

    It knows nothing of meaning: two texts are alike as far as they have words in common, whatever their case and order.
    A text without words is a vector of zeros.
    """
    counts = [0.0] * DIMENSIONS
    for word in _WORD.findall(text.lower()):
        digest = hashlib.blake2b(word.encode(errors="surrogatepass"), digest_size=4).digest()
        number = int.from_bytes(digest, "big")
        counts[number % DIMENSIONS] += 1.0 if number & 0x80000000 else -1.0
    length = math.sqrt(sum(count * count for count in counts))
    return tuple(count / length for count in counts) if length else tuple(counts)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
