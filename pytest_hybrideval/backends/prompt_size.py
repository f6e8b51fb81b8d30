"""Whether a model can have seen a whole prompt, told from what the server says it read. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_WORD = re.compile(r"[^\W\d_]+")
# Releases of Ollama whose count leaves out what was in the prompt cache: those before its issue 2068 was mended, and
# the one with a new engine before its pull request 16428.
_FIRST_FULL_COUNT = (0, 2)
_PARTIAL_COUNT = ((0, 30, 0),)


def least_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """Fewer tokens than this no tokenizer in use makes of the messages: one for each run of letters.

    Tokenizers split a text into words first and never join two of them, with few exceptions such as `e.g.`; digits,
    punctuation, indentation and the chat template come on top and are not counted. Of source code and of prose it is
    between .3 and .7 of the real number (GPT-4's and Claude's tokenizers over this project's own files).
    """
    return sum(len(_WORD.findall(text)) for message in messages for text in _texts(message.get("content")))


def overran(messages: Sequence[Mapping[str, Any]], read: int | None, num_ctx: int | None, margin: float) -> bool:
    """Whether a server that was told to use `num_ctx` tokens, and counted `read` in the prompt, left some of it out.

    It did where the count is all the context there is, or so low that the prompt's least number of tokens is `margin`
    times as high. An unknown count or context says nothing.
    """
    if read is None or num_ctx is None:
        return False
    return read in (num_ctx, num_ctx - 1) or least_tokens(messages) > margin * read


def counts_in_full(version: str | None) -> bool:
    """Whether this release counts tokens of the prompt that it had in its cache. True where it is unknown."""
    numbers = tuple(map(int, re.findall(r"\d+", version or "")[:3]))
    return not numbers or (numbers >= _FIRST_FULL_COUNT and numbers not in _PARTIAL_COUNT)


def _texts(content: Any) -> Iterator[str]:
    for part in [content] if isinstance(content, str) else content or ():
        text = part.get("text") if isinstance(part, Mapping) else part
        if isinstance(text, str):
            yield text
