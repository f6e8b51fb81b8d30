"""A small template engine: variables, filters, conditions, loops, includes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

MAX_DEPTH = 20

_TEXT = r"\"[^\"]*\"|'[^']*'"
_TAG = re.compile(
    rf"\{{#.*?#\}}|\{{\{{(?P<print>(?:{_TEXT}|(?!\}}\}})[^\"'])*)\}}\}}|\{{%(?P<statement>(?:{_TEXT}|(?!%\}})[^\"'])*)%\}}",
    re.DOTALL,
)
_OPENING = re.compile(r"\{[{%#]")
_TOKEN = re.compile(
    rf"\s*(?:(?P<text>{_TEXT})|(?P<number>-?[0-9]+(?![\w.]))|(?P<path>[^\W\d]\w*(?:\.\w+)*)|(?P<mark>==|!=|[|:,]))"
)
_WORDS = {"not", "and", "or", "in"}


class Safe(str):
    """Text that is HTML already."""

    __slots__ = ()


class TemplateError(Exception):
    def __init__(self, template: str, line: int, message: str) -> None:
        super().__init__(f"{template}:{line}: {message}")
        self.template = template
        self.line = line


class _Undefined:
    def __init__(self, path: str) -> None:
        self.path = path


class _Scope:
    """What a template sees while it is rendered."""

    def __init__(self, environment: Environment, values: Mapping[str, Any], depth: int = 0) -> None:
        self.environment = environment
        self.values = values
        self.depth = depth

    def with_values(self, **values: Any) -> _Scope:
        return _Scope(self.environment, {**self.values, **values}, self.depth)


_Render = Callable[[_Scope], str]
_Evaluate = Callable[[_Scope], Any]


def _builtin_filters() -> dict[str, Callable[..., Any]]:
    return {
        "upper": lambda value: str(value).upper(),
        "lower": lambda value: str(value).lower(),
        "trim": lambda value: str(value).strip(),
        "length": len,
        "join": lambda value, separator: str(separator).join(map(str, value)),
        "default": lambda value, default: default if value is None or isinstance(value, _Undefined) else value,
        "safe": lambda value: Safe(value),
    }


class Environment:
    def __init__(
        self,
        templates: Mapping[str, str],
        *,
        filters: Mapping[str, Callable[..., Any]] | None = None,
        autoescape: bool = True,
    ) -> None:
        self.filters = {**_builtin_filters(), **(filters or {})}
        self.autoescape = autoescape
        self._templates = dict(templates)
        self._compiled: dict[str, _Render] = {}

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        return self.compile(name)(_Scope(self, values))

    def compile(self, name: str) -> _Render:
        if name not in self._compiled:
            self._compiled[name] = _Parser(self, name, self._templates[name]).parse()
        return self._compiled[name]

    def __contains__(self, name: str) -> bool:
        return name in self._templates


class _Parser:
    """Turns one template into a function."""

    def __init__(self, environment: Environment, name: str, source: str) -> None:
        self._environment = environment
        self._name = name
        self._pieces = self._split(source)

    def parse(self) -> _Render:
        body, ending, line, _ = self._block()
        if ending:
            raise self._error(line, f"unexpected {ending}")
        return body

    def _error(self, line: int, message: str) -> TemplateError:
        return TemplateError(self._name, line, message)

    def _split(self, source: str) -> Iterator[tuple[str, str, int]]:
        """Kind, content and line of each piece of the template."""
        position, line = 0, 1
        while opening := _OPENING.search(source, position):
            yield "text", source[position : opening.start()], line
            line += source.count("\n", position, opening.start())
            tag = _TAG.match(source, opening.start())
            if not tag:
                raise self._error(line, "the tag is not closed")
            if tag.lastgroup:
                yield tag.lastgroup, tag[tag.lastgroup], line
            line += tag[0].count("\n")
            position = tag.end()
        yield "text", source[position:], line

    def _block(self) -> tuple[_Render, str, int, _Tokens | None]:
        """Everything up to a statement that ends or divides a block, and that statement."""
        parts: list[_Render] = []
        for kind, content, line in self._pieces:
            if kind == "text":
                parts.append(lambda scope, content=content: content)
                continue
            tokens = _Tokens(self._environment, self._name, line, content)
            if kind == "print":
                parts.append(tokens.printed())
                continue
            word = tokens.word()
            if word in ("elif", "else", "endif", "endfor"):
                return _joined(parts), word, line, tokens
            if word not in ("if", "for", "include"):
                raise self._error(line, f"unknown statement {word}")
            parts.append(getattr(self, f"_{word}")(tokens, line))
        return _joined(parts), "", 0, None

    def _if(self, tokens: _Tokens, line: int) -> _Render:
        branches: list[tuple[_Evaluate, _Render]] = []
        condition: _Evaluate | None = tokens.condition()
        while True:
            body, ending, end_line, rest = self._block()
            if condition is None:
                self._must_be(ending, ("endif",), line, end_line)
                otherwise = body
            else:
                self._must_be(ending, ("elif", "else", "endif"), line, end_line)
                branches.append((condition, body))
                otherwise = _joined([])
            assert rest is not None
            condition = rest.condition() if ending == "elif" else None
            rest.end()
            if ending == "endif":
                return lambda scope: next((body for test, body in branches if test(scope)), otherwise)(scope)

    def _for(self, tokens: _Tokens, line: int) -> _Render:
        variable = tokens.variable()
        evaluate = tokens.expression()
        tokens.end()
        body, ending, end_line, rest = self._block()
        self._must_be(ending, ("else", "endfor"), line, end_line)
        assert rest is not None
        rest.end()
        otherwise = _joined([])
        if ending == "else":
            otherwise, ending, end_line, rest = self._block()
            self._must_be(ending, ("endfor",), line, end_line)
            assert rest is not None
            rest.end()

        def render(scope: _Scope) -> str:
            value = tokens.defined(evaluate(scope))
            try:
                items = iter(value)
            except TypeError as error:
                raise self._error(line, "cannot loop over this") from None
            parts = [
                body(scope.with_values(**{"loop": state, variable: item})) for item, state in _with_loop_state(items)
            ]
            return "".join(parts) if parts else otherwise(scope)

        return render

    def _include(self, tokens: _Tokens, line: int) -> _Render:
        name = tokens.text()
        tokens.end()

        def render(scope: _Scope) -> str:
            if name not in scope.environment:
                raise self._error(line, f"there is no template {name}")
            if scope.depth >= MAX_DEPTH:
                raise self._error(line, "includes are too deep")
            return scope.environment.compile(name)(_Scope(scope.environment, scope.values, scope.depth + 1))

        return render

    def _must_be(self, ending: str, allowed: tuple[str, ...], line: int, end_line: int) -> None:
        if not ending:
            raise self._error(line, "the block is not closed")
        if ending not in allowed:
            raise self._error(end_line, f"unexpected {ending}")


class _Tokens:
    """The inside of one tag, taken from left to right."""

    def __init__(self, environment: Environment, template: str, line: int, content: str) -> None:
        self._environment = environment
        self._template = template
        self._line = line
        self._tokens: list[tuple[str, str]] = []
        content, position = content.rstrip(), 0
        while position < len(content):
            match = _TOKEN.match(content, position)
            if not match or not match.lastgroup:
                raise self._error(f"cannot read {content[position:].strip()}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def _error(self, message: str) -> TemplateError:
        return TemplateError(self._template, self._line, message)

    def _next(self, kind: str) -> str:
        if not self._tokens or self._tokens[0][0] != kind:
            raise self._error(f"a {kind} is missing")
        return self._tokens.pop(0)[1]

    def _skip(self, token: str) -> bool:
        if self._tokens and self._tokens[0][0] in ("mark", "path") and self._tokens[0][1] == token:
            del self._tokens[0]
            return True
        return False

    def end(self) -> None:
        if self._tokens:
            raise self._error(f"cannot read {self._tokens[0][1]}")

    def word(self) -> str:
        return self._next("path")

    def text(self) -> str:
        return self._next("text")[1:-1]

    def variable(self) -> str:
        name = self._next("path")
        if "." in name or name in _WORDS or not self._skip("in"):
            raise self._error("for needs a name and in")
        return name

    def defined(self, value: Any) -> Any:
        if isinstance(value, _Undefined):
            raise self._error(f"{value.path} is undefined")
        return value

    def printed(self) -> _Render:
        evaluate = self.expression()
        self.end()

        def render(scope: _Scope) -> str:
            value = self.defined(evaluate(scope))
            if value is None:
                return ""
            escape = scope.environment.autoescape and not isinstance(value, Safe)
            return html.escape(str(value)) if escape else str(value)

        return render

    def condition(self) -> _Evaluate:
        evaluate = self._either()
        self.end()
        return evaluate

    def _either(self) -> _Evaluate:
        left = self._both()
        while self._skip("or"):
            left = _or(left, self._both())
        return left

    def _both(self) -> _Evaluate:
        left = self._negation()
        while self._skip("and"):
            left = _and(left, self._negation())
        return left

    def _negation(self) -> _Evaluate:
        if self._skip("not"):
            inner = self._negation()
            return lambda scope: not inner(scope)
        return self._comparison()

    def _comparison(self) -> _Evaluate:
        left = _or_none(self.expression())
        if self._skip("=="):
            right = _or_none(self.expression())
            return lambda scope: left(scope) == right(scope)
        if self._skip("!="):
            right = _or_none(self.expression())
            return lambda scope: left(scope) != right(scope)
        return left

    def expression(self) -> _Evaluate:
        evaluate = self._operand()
        while self._skip("|"):
            evaluate = self._filtered(evaluate)
        return evaluate

    def _filtered(self, evaluate: _Evaluate) -> _Evaluate:
        name = self._next("path")
        if name not in self._environment.filters:
            raise self._error(f"unknown filter {name}")
        function = self._environment.filters[name]
        arguments: list[_Evaluate] = []
        if self._skip(":"):
            arguments.append(self._operand())
            while self._skip(","):
                arguments.append(self._operand())

        def apply(scope: _Scope) -> Any:
            value = evaluate(scope)
            if name != "default":
                value = self.defined(value)
            given = [self.defined(argument(scope)) for argument in arguments]
            try:
                return function(value, *given)
            except Exception as error:
                raise self._error(f"filter {name}: {error}") from None

        return apply

    def _operand(self) -> _Evaluate:
        kind, token = self._tokens.pop(0) if self._tokens else ("", "")
        if kind == "text":
            return lambda scope: token[1:-1]
        if kind == "number":
            number = int(token)
            return lambda scope: number
        if kind == "path" and token not in _WORDS:
            return lambda scope: _look_up(scope.values, token)
        raise self._error("an operand is missing")


def _look_up(values: Mapping[str, Any], path: str) -> Any:
    value: Any = values
    for position, part in enumerate(path.split(".")):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif position and part.isdecimal() and isinstance(value, (list, tuple)) and int(part) < len(value):
            value = value[int(part)]
        elif position and not part.startswith("_") and hasattr(value, part):
            value = getattr(value, part)
        else:
            return _Undefined(path)
    return value


def _joined(parts: list[_Render]) -> _Render:
    return lambda scope: "".join([part(scope) for part in parts])


def _or(left: _Evaluate, right: _Evaluate) -> _Evaluate:
    return lambda scope: left(scope) or right(scope)


def _and(left: _Evaluate, right: _Evaluate) -> _Evaluate:
    return lambda scope: left(scope) and right(scope)


def _or_none(evaluate: _Evaluate) -> _Evaluate:
    def value(scope: _Scope) -> Any:
        found = evaluate(scope)
        return None if isinstance(found, _Undefined) else found

    return value


def _with_loop_state(items: Iterable[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    iterator = iter(items)
    nothing = object()
    item = next(iterator, nothing)
    index = 0
    while item is not nothing:
        following = next(iterator, nothing)
        yield item, {"index": index + 1, "index0": index, "first": index == 0, "last": following is nothing}
        item = following
        index += 1
