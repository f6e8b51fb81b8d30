"""What can be said of an answer before the agent sees it: whether aider would apply its edits, whether it loops."""

from __future__ import annotations


class RefusedEdit(Exception):
    """An answer that aider would refuse, or that holds nothing to apply; the text says why, for people to read."""
