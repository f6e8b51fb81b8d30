"""Entity tags and the header If-None-Match."""

from __future__ import annotations

import hashlib


def strong_tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


def weak_tag(content: bytes) -> str:
    return "W/" + strong_tag(content)


def none_match_fails(header: str, tag: str) -> bool:
    """Return whether `tag` is one that the client named in If-None-Match, so that it has the answer already."""
    if header.strip(" \t") == "*":
        return True
    return tag.removeprefix("W/").strip('"') in header
