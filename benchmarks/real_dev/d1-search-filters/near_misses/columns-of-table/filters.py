"""Searches for bikes: from the query string to SQL."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

DEFAULT_LIMIT, MAX_LIMIT = 50, 200

COMPARISONS = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def _text(value: str) -> str:
    return value


def _integer(value: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise ValueError("not an integer")
    return int(value)


def _number(value: str) -> float:
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value):
        raise ValueError("not a number")
    return float(value)


def _boolean(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("not a boolean")
    return value == "true"


@dataclass(frozen=True)
class _Field:
    parse: Callable[[str], object]
    operators: frozenset[str]


_EQUALITY = {"", "ne", "in"}
_TEXT = _Field(_text, frozenset(_EQUALITY | {"has"}))
_INTEGER = _Field(_integer, frozenset(_EQUALITY | COMPARISONS.keys()))

FIELDS = {
    "id": _INTEGER,
    "brand": _TEXT,
    "model": _TEXT,
    "price": _INTEGER,
    "year": _INTEGER,
    "weight": _Field(_number, frozenset(_EQUALITY | COMPARISONS.keys() | {"empty"})),
    "bought_for": _INTEGER,
    "sold": _Field(_boolean, frozenset({""})),
}


class BadParameter(ValueError):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Search:
    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    limit: int = DEFAULT_LIMIT
    offset: int = 0

    @property
    def where(self) -> str:
        return " AND ".join(self.conditions) or "1"

    @property
    def order_by(self) -> str:
        return ", ".join([*self.order, "id"])


def parse_search(query: str) -> tuple[Search, list[dict]]:
    """Return the search that a query string asks for, and the errors in it."""
    search, errors, seen = Search(), [], set()
    for name, value in parse_qsl(query, keep_blank_values=True):
        try:
            if name not in ("sort", "limit", "offset"):
                _add_filter(search, name, value)
            elif name in seen:
                raise BadParameter("repeated")
            elif name == "sort":
                search.order = _parse_sort(value)
            elif name == "limit":
                search.limit = _parse_whole(value, 1, MAX_LIMIT)
            else:
                search.offset = _parse_whole(value, 0)
        except BadParameter as error:
            errors.append({"parameter": name, "code": error.code})
        except ValueError:
            errors.append({"parameter": name, "code": "value"})
        seen.add(name)
    return search, errors


def _add_filter(search: Search, name: str, text: str) -> None:
    column, _, operator = name.partition(".")
    if column not in FIELDS:
        raise BadParameter("unknown")
    described = FIELDS[column]
    if operator not in described.operators:
        raise BadParameter("operator")
    if operator == "in":
        values: list[object] = [described.parse(item) for item in text.split(",")]
        condition = f"{column} IN ({', '.join('?' * len(values))})"
    elif operator == "has":
        values = ["%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"]
        condition = f"{column} LIKE ? ESCAPE '\\'"
    elif operator == "empty":
        values = [_boolean(text)]
        condition = f"({column} IS NULL) = ?"
    else:
        values = [described.parse(text)]
        condition = f"{column} {'IS NOT' if operator == 'ne' else COMPARISONS.get(operator, '=')} ?"
    search.conditions.append(condition)
    search.values += values


def _parse_sort(text: str) -> list[str]:
    order, columns = [], set()
    for item in text.split(","):
        column = item.removeprefix("-")
        if column not in FIELDS or column in columns:
            raise ValueError("not a list of fields")
        columns.add(column)
        order += [f"{column} IS NULL", f"{column} DESC" if item.startswith("-") else column]
    return order


def _parse_whole(text: str, lowest: int, highest: int | None = None) -> int:
    number = _integer(text)
    if number < lowest or (highest is not None and number > highest):
        raise ValueError("out of range")
    return number
