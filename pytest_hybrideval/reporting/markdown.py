"""Markdown from any text: what it says stays what is read."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tabulate import tabulate

# What would be taken for markup. Within a word an underscore is none.
_MARKUP = re.compile(r"[\\`|*<~]|(?<![^\W_])_|_(?![^\W_])")


def one_line(text: str, length: int) -> str:
    """Text for a line or a table's cell: markup escaped, control characters gone, cut after `length` characters."""
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    short = words if len(words) <= length else words[: length - 1].rstrip() + "…"
    return _MARKUP.sub(r"\\\g<0>", short)


def code(text: str) -> str:
    """Text as code, in a table's cell too. A backtick becomes an apostrophe."""
    return "`" + text.replace("`", "'").replace("|", r"\|") + "`"


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """A table of texts that are Markdown already. Numbers stand to the right, the columns in `left` to the left."""
    alignment = ["left" if at in left else "right" for at in range(len(headers))]
    return tabulate(rows, headers, "github", disable_numparse=True, colalign=alignment)
