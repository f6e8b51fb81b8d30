"""A query language over lists of dicts. See LANGUAGE.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

Value = bool | int | float | str | None
Row = Mapping[str, Value]
Condition = Callable[[Row], bool | None]

KEYWORDS = frozenset(
    "SELECT FROM WHERE GROUP ORDER BY LIMIT OFFSET AS AND OR NOT IS IN BETWEEN NULL TRUE FALSE ASC DESC".split()
)
CONSTANTS: dict[str, Value] = {"NULL": None, "TRUE": True, "FALSE": False}
AGGREGATES = ("count", "sum", "avg", "min", "max")
TOKEN = re.compile(
    r"""(?P<number>-?[0-9]+(?:\.[0-9]+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | '(?P<string>(?:[^']|'')*)'(?!')
    | "(?P<quoted>(?:[^"]|"")+)"(?!")
    | (?P<sign><>|<=|>=|[=<>(),*])""",
    re.VERBOSE,
)
COMPARISONS: dict[str, Callable[[tuple, tuple], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


class QueryError(ValueError):
    """A query that cannot be run; `position` is the index in its text where the trouble begins."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at {position})")
        self.position = position


@dataclass(frozen=True)
class Token:
    kind: str
    value: Value
    position: int


@dataclass(frozen=True)
class Column:
    name: str
    position: int

    def of(self, row: Row) -> Value:
        return row.get(self.name)


@dataclass(frozen=True)
class Literal:
    value: Value
    position: int

    def of(self, row: Row) -> Value:
        return self.value


@dataclass(frozen=True)
class Aggregate:
    function: str
    column: Column | None
    position: int

    @property
    def name(self) -> str:
        return f"{self.function}({self.column.name if self.column else '*'})"

    def over(self, rows: Sequence[Row]) -> Value:
        if self.column is None:
            return len(rows)
        values = [value for value in map(self.column.of, rows) if value is not None]
        if self.function == "count":
            return len(values)
        if self.function in ("sum", "avg"):
            numbers = [value for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)]
            if not numbers:
                return None
            return sum(numbers) if self.function == "sum" else float(sum(numbers) / len(numbers))
        best = min if self.function == "min" else max
        return best(values, key=sort_key, default=None)


@dataclass(frozen=True)
class Item:
    expression: Column | Literal | Aggregate
    name: str
    position: int


@dataclass(frozen=True)
class Key:
    column: Column
    descending: bool


@dataclass
class Query:
    items: list[Item] = field(default_factory=list)
    star: Token | None = None
    table: Token | None = None
    condition: Condition | None = None
    groups: list[Column] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    limit: int | None = None
    offset: int = 0
    mentioned: list[Column] = field(default_factory=list)


def sort_key(value: Value) -> tuple[int, Value]:
    return (0 if isinstance(value, bool) else 1 if isinstance(value, (int, float)) else 2, value)


def compare(sign: str, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    a, b = sort_key(left), sort_key(right)
    return COMPARISONS[sign](a, b) if a[0] == b[0] else None


def negate(value: bool | None) -> bool | None:
    return None if value is None else not value


def all_of(values: Iterable[bool | None]) -> bool | None:
    found = list(values)
    return False if False in found else None if None in found else True


def any_of(values: Iterable[bool | None]) -> bool | None:
    found = list(values)
    return True if True in found else None if None in found else False


def tokenize(text: str) -> list[Token]:
    tokens = []
    position = 0
    while True:
        while position < len(text) and text[position] in " \t\n":
            position += 1
        if position == len(text):
            return [*tokens, Token("end", None, position)]
        match = TOKEN.match(text, position)
        if not match:
            raise QueryError("unexpected character", position)
        tokens.append(make_token(match))
        position = match.end()


def make_token(match: re.Match[str]) -> Token:
    kind, text, position = match.lastgroup, match[match.lastgroup or 0], match.start()
    if kind == "number":
        return Token("literal", float(text) if "." in text else int(text), position)
    if kind == "string":
        return Token("literal", text.replace("''", "'"), position)
    if kind == "quoted":
        return Token("name", text.replace('""', '"'), position)
    if kind == "sign":
        return Token("sign", text, position)
    word = text.upper()
    if word in CONSTANTS:
        return Token("literal", CONSTANTS[word], position)
    return Token("keyword", word, position) if word in KEYWORDS else Token("name", text, position)


class Parser:
    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)
        self._next = 0
        self._query = Query()
        self._later: list[QueryError] = []

    def parse(self) -> Query:
        query = self._query
        self._expect("keyword", "SELECT")
        query.star = self._accept("sign", "*")
        if not query.star:
            query.items = self._list(self._item)
        self._expect("keyword", "FROM")
        query.table = self._expect("name")
        if self._accept("keyword", "WHERE"):
            query.condition = self._or()
        if self._accept("keyword", "GROUP"):
            self._expect("keyword", "BY")
            query.groups = self._list(self._column)
        if self._accept("keyword", "ORDER"):
            self._expect("keyword", "BY")
            query.keys = self._list(self._key)
        if self._accept("keyword", "LIMIT"):
            query.limit = self._count()
            if self._accept("keyword", "OFFSET"):
                query.offset = self._count()
        self._expect("end")
        if self._later:
            raise self._later[0]
        return query

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _accept(self, kind: str, value: Value = None) -> Token | None:
        token = self._peek()
        if token.kind != kind or (value is not None and token.value != value):
            return None
        self._next += 1
        return token

    def _expect(self, kind: str, value: Value = None) -> Token:
        return self._accept(kind, value) or self._fail(f"expected {value or kind}")

    def _fail(self, message: str) -> NoReturn:
        raise QueryError(message, self._peek().position)

    def _list(self, parse: Callable) -> list:
        found = [parse()]
        while self._accept("sign", ","):
            found.append(parse())
        return found

    def _count(self) -> int:
        token = self._peek()
        if token.kind != "literal" or type(token.value) is not int or token.value < 0:
            self._fail("expected a whole number")
        self._next += 1
        return token.value

    def _column(self) -> Column:
        token = self._expect("name")
        column = Column(str(token.value), token.position)
        self._query.mentioned.append(column)
        return column

    def _key(self) -> Key:
        token = self._expect("name")
        descending = self._accept("keyword", "DESC") is not None
        if not descending:
            self._accept("keyword", "ASC")
        return Key(Column(str(token.value), token.position), descending)

    def _operand(self) -> Column | Literal:
        token = self._accept("literal")
        return Literal(token.value, token.position) if token else self._column()

    def _item(self) -> Item:
        expression = self._aggregate() or self._operand()
        if self._accept("keyword", "AS"):
            name = str(self._expect("name").value)
        elif isinstance(expression, Literal):
            self._later.append(QueryError("a literal needs a name", expression.position))
            name = ""
        else:
            name = expression.name
        return Item(expression, name, expression.position)

    def _aggregate(self) -> Aggregate | None:
        token = self._peek()
        following = self._tokens[min(self._next + 1, len(self._tokens) - 1)]
        if token.kind != "name" or (following.kind, following.value) != ("sign", "("):
            return None
        function = str(token.value).lower()
        if function not in AGGREGATES:
            self._later.append(QueryError("unknown function", token.position))
        self._next += 2
        star = function == "count" and self._accept("sign", "*")
        column = None if star else self._column()
        self._expect("sign", ")")
        return Aggregate(function, column, token.position)

    def _or(self) -> Condition:
        parts = [self._and()]
        while self._accept("keyword", "OR"):
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else lambda row: any_of(part(row) for part in parts)

    def _and(self) -> Condition:
        parts = [self._not()]
        while self._accept("keyword", "AND"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else lambda row: all_of(part(row) for part in parts)

    def _not(self) -> Condition:
        if self._accept("keyword", "NOT"):
            inner = self._not()
            return lambda row: negate(inner(row))
        if self._accept("sign", "("):
            inner = self._or()
            self._expect("sign", ")")
            return inner
        return self._predicate()

    def _predicate(self) -> Condition:
        left = self._operand()
        if self._accept("keyword", "IS"):
            wanted = not self._accept("keyword", "NOT")
            if (self._peek().kind, self._peek().value) != ("literal", None):
                self._fail("expected NULL")
            self._next += 1
            return lambda row: (left.of(row) is None) is wanted
        negated = self._accept("keyword", "NOT")
        condition = self._membership(left) or self._range(left)
        if negated:
            inner = condition or self._fail("expected IN or BETWEEN")
            return lambda row: negate(inner(row))
        return condition or self._comparison(left)

    def _membership(self, left: Column | Literal) -> Condition | None:
        if not self._accept("keyword", "IN"):
            return None
        self._expect("sign", "(")
        values = self._list(lambda: self._expect("literal").value)
        self._expect("sign", ")")
        return lambda row: any_of(compare("=", left.of(row), value) for value in values)

    def _range(self, left: Column | Literal) -> Condition | None:
        if not self._accept("keyword", "BETWEEN"):
            return None
        low = self._operand()
        self._expect("keyword", "AND")
        high = self._operand()
        return lambda row: all_of((compare(">=", left.of(row), low.of(row)), compare("<=", left.of(row), high.of(row))))

    def _comparison(self, left: Column | Literal) -> Condition:
        sign = str(self._peek().value)
        if self._peek().kind != "sign" or sign not in COMPARISONS:
            self._fail("expected a comparison")
        self._next += 1
        right = self._operand()
        return lambda row: compare(sign, left.of(row), right.of(row))


def check(query: Query, columns: dict[str, None], grouped: bool) -> None:
    names = {column.name for column in query.groups}
    for column in query.mentioned:
        if columns and column.name not in columns:
            raise QueryError(f"unknown column {column.name}", column.position)
    if query.star and grouped:
        raise QueryError("* cannot be grouped", query.star.position)
    seen = set()
    for item in query.items:
        if grouped and isinstance(item.expression, Column) and item.expression.name not in names:
            raise QueryError(f"{item.expression.name} is not grouped", item.position)
        if item.name in seen:
            raise QueryError(f"{item.name} is there twice", item.position)
        seen.add(item.name)
    for key in query.keys:
        known = names if grouped else columns
        if key.column.name not in seen and key.column.name not in known and (grouped or columns):
            raise QueryError(f"cannot be sorted by {key.column.name}", key.column.position)


def grouped_rows(query: Query, rows: list[Row]) -> list[list[Row]]:
    if not query.groups:
        return [rows] if rows else []
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(sort_key(column.of(row)) for column in query.groups), []).append(row)
    return list(groups.values())


def result_row(query: Query, group: Sequence[Row], columns: Iterable[str]) -> dict[str, Value]:
    if query.star:
        return {name: group[0].get(name) for name in columns}
    row: Row = group[0] if group else {}
    return {
        item.name: item.expression.over(group) if isinstance(item.expression, Aggregate) else item.expression.of(row)
        for item in query.items
    }


def query(text: str, tables: Mapping[str, Sequence[Row]]) -> list[dict[str, Value]]:
    """Run a query and return its rows. Raises `QueryError`."""
    parsed = Parser(text).parse()
    table = parsed.table
    assert table is not None
    if table.value not in tables:
        raise QueryError(f"unknown table {table.value}", table.position)
    rows = list(tables[str(table.value)])
    columns = {name: None for row in rows for name in row}
    grouped = bool(parsed.groups) or any(isinstance(item.expression, Aggregate) for item in parsed.items)
    check(parsed, columns, grouped)

    condition = parsed.condition
    if condition:
        rows = [row for row in rows if condition(row) is True]
    groups = grouped_rows(parsed, rows) if grouped else [[row] for row in rows]
    found = [(result_row(parsed, group, columns), group[0] if group else {}) for group in groups]

    for key in reversed(parsed.keys):
        name = key.column.name
        values = [result[name] if name in result else row.get(name) for result, row in found]
        known = [place for place, value in enumerate(values) if value is not None]
        known.sort(key=lambda place: sort_key(values[place]), reverse=key.descending)
        unknown = [place for place, value in enumerate(values) if value is None]
        found = [found[place] for place in known + unknown]

    end = None if parsed.limit is None else parsed.offset + parsed.limit
    return [result for result, _ in found[parsed.offset : end]]
