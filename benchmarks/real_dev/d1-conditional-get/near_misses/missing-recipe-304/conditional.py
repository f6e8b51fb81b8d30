"""Entity tags and the header If-None-Match."""

from __future__ import annotations

import hashlib
import re

_OPAQUE = r'"[\x21\x23-\x7e]*"'
_TAG = rf"(?:W/)?{_OPAQUE}"
_TAG_LIST = re.compile(rf"[ \t]*{_TAG}(?:[ \t]*,[ \t]*{_TAG})*[ \t]*")


def strong_tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()}"'


def weak_tag(content: bytes) -> str:
    return "W/" + strong_tag(content)


def none_match_fails(header: str, tag: str) -> bool:
    """Return whether `tag` is one that the client named in If-None-Match, so that it has the answer already."""
    if header.strip(" \t") == "*":
        return True
    if not _TAG_LIST.fullmatch(header):
        return False
    return tag.removeprefix("W/") in re.findall(_OPAQUE, header)
