"""Hidden tests as code: compiled from memory before any tested code exists, made to say that they reached their end.

Part of the program `runner.py`. No hidden test lies on disk while tested code runs: the file that pytest finds is
empty, and what is executed in its place is made here from the text that came with the job, asserts rewritten as pytest
does it. Two things are added: each function named `test*` raises the audit event EVENT as its last statement and before
each `return`, and each comparison that an assert makes with `==` or `in` is shown to `runner_equal.py`. A test that
passed without that event has not been run to its end by its own code, whatever pytest was made to believe.
"""

from __future__ import annotations

import ast
import copy
import linecache
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import CodeType
from typing import Any

from _pytest.assertion import rewrite

EVENT = "hybrideval"
EQUAL_EVENT = "hybrideval.equal"
_SYS = "@hybrideval_sys"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOADS = "_rewrite_test"  # what pytest reads and compiles a test file by
_read_from_disk = vars(rewrite)[_LOADS]


Texts = Mapping[str, bytes]


def compile_tests(texts: Texts, config: Any) -> list[CodeType]:
    """Compile the test files (absolute path -> text) and have them imported so; all code objects in them.

    One that cannot be compiled says so when it is imported.
    """
    codes: dict[str, CodeType | SyntaxError] = {}
    found: list[CodeType] = []
    for path, text in texts.items():
        try:
            codes[path] = code = _compile(path, text, config)
            found += _with_inner(code)
        except SyntaxError as error:
            codes[path] = error

    def instead_of_disk(path: Path, config: Any) -> Any:
        code = codes.get(str(path))
        if isinstance(code, SyntaxError):
            raise code
        return (None, code) if code is not None else _read_from_disk(path, config)

    vars(rewrite)[_LOADS] = instead_of_disk
    return found


def show_lines(texts: Texts) -> None:
    """Let tracebacks show the tests' lines. For failures only: who may see a line may see all."""
    for path, text in texts.items():
        lines = text.decode("utf-8", "replace").splitlines(keepends=True)
        linecache.cache[path] = (len(text), None, lines, path)


def hide_lines(texts: Texts) -> None:
    """Take the lines back."""
    for path in texts:
        linecache.cache.pop(path, None)


def _compile(path: str, text: bytes, config: Any) -> CodeType:
    tree = ast.parse(text, filename=path)
    rewrite.rewrite_asserts(tree, text, path, config)
    _Additions().visit(tree)
    tree.body.insert(_after_header(tree), _at(ast.Import([ast.alias("sys", _SYS)]), 1))
    code: CodeType = compile(tree, path, "exec", dont_inherit=True)
    return code


def _after_header(tree: ast.Module) -> int:
    """Where statements may stand: after the docstring and `from __future__`."""
    for position, node in enumerate(tree.body):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not docstring and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            return position
    return len(tree.body)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)


class _Additions(ast.NodeTransformer):
    """Adds the events to the syntax tree of a test module whose asserts are rewritten."""

    def __init__(self) -> None:
        self._test = ""

    def _function(self, node: Any) -> Any:
        outer, self._test = self._test, node.name if node.name.startswith("test") else ""
        self.generic_visit(node)
        if self._test:
            node.body.append(_event(node.body[-1], EVENT, ast.Constant("ended"), ast.Constant(node.name)))
        self._test = outer
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815 - the names are ast's

    def visit_Return(self, node: ast.Return) -> Any:
        """A test may end early."""
        if not self._test:
            return node
        return [_event(node, EVENT, ast.Constant("ended"), ast.Constant(self._test)), node]

    def visit_Assign(self, node: ast.Assign) -> Any:
        """Each comparison of an assert was given a name by pytest, and so were its operands."""
        match node:
            case ast.Assign([ast.Name(name)], ast.Compare(left, [ast.Eq() | ast.In()], [right])) if (
                name.startswith("@py_assert")
                and isinstance(left, ast.Name | ast.Constant)
                and isinstance(right, ast.Name | ast.Constant)
            ):
                return [node, _event(node, EQUAL_EVENT, ast.Name(name, ast.Load()), left, right)]
        return node


def _event(place: ast.stmt, event: str, *arguments: ast.expr) -> ast.stmt:
    audit = ast.Attribute(ast.Name(_SYS, ast.Load()), "audit", ast.Load())
    statement = ast.Expr(ast.Call(audit, [ast.Constant(event), *(copy.copy(node) for node in arguments)], []))
    return _at(statement, place.lineno)


def _at(statement: ast.stmt, line: int) -> ast.stmt:
    for node in ast.walk(statement):
        if isinstance(node, ast.stmt | ast.expr | ast.alias):
            node.lineno = node.end_lineno = line
            node.col_offset = node.end_col_offset = 0
    return statement
