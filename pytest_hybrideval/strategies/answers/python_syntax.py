"""Whether a file is Python that parses. No warnings: those are settings of the whole process."""

from __future__ import annotations

import ast
import re

# A backslash that escapes nothing makes Python warn. Those that mean something stay: before a backslash, a quote, the
# end of a line, and in a character's name, whose braces are no part of an f-string.
_BACKSLASH = re.compile(r"\\([\\'\"\r\n]|N\{)|\\")


def python_fault(source: str) -> str:
    """What the parser says of the source, with the line; empty where it parses, or where that cannot be told."""
    quiet = _BACKSLASH.sub(lambda found: found[0] if found[1] else "_", source)
    try:
        ast.parse(quiet, "<answer>")
    except SyntaxError as error:
        return f"{error.msg}, line {error.lineno}"
    except (ValueError, RecursionError, MemoryError):  # null bytes; more depth than the parser has room for
        return "it holds null bytes" if "\0" in source else ""
    return ""
