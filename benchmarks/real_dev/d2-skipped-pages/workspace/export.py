"""The copy of the tickets as text, for the search engine."""

from __future__ import annotations

import json
from collections.abc import Mapping

from paging import Ticket


def to_json_lines(store: Mapping[int, Ticket]) -> str:
    """One ticket per line, by ascending id."""
    return "".join(json.dumps(store[key], sort_keys=True) + "\n" for key in sorted(store))
