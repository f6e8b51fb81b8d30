"""What all commands share: plain help, and every error as one line on stderr with its exit code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import click
import typer
from typer.core import TyperGroup

from pytest_hybrideval.core.errors import HybridEvalError

_NAME = "hybrideval"
_HELP = """Work with the runs of pytest-hybrideval.

Exit codes: 0 done, 1 the command's own answer is no, 2 bad usage or unreadable input.
"""


class NegativeAnswer(HybridEvalError):
    """A command did what was asked, and its answer is no: exit code 1."""


class _Commands(TyperGroup):
    """The group of all commands: where their errors arrive, those of the command line included."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _one_line():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_line(ctx):
            return super().invoke(ctx)


@contextmanager
def _one_line(ctx: click.Context | None = None) -> Iterator[None]:
    """What goes wrong inside becomes one line and an exit code; a closed pipe is left to click, which is silent."""
    try:
        yield
    except click.UsageError as error:
        command = " ".join([_NAME, *([error.ctx.info_name or ""] if error.ctx and error.ctx.parent else [])])
        _fail(command, f"{error.format_message().rstrip('.?')}; see '{command} --help'", 2)
    except BrokenPipeError:
        raise
    except (HybridEvalError, OSError) as error:
        command = f"{_NAME} {ctx.invoked_subcommand}" if ctx and ctx.invoked_subcommand else _NAME
        _fail(command, _text(error), 1 if isinstance(error, NegativeAnswer) else 2)


def _fail(command: str, text: str, code: int) -> None:
    typer.echo(f"{command}: {' '.join(text.split())}", err=True)
    raise typer.Exit(code)


def _text(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        names = [str(name) for name in (error.filename, error.filename2) if name is not None]
        return ": ".join([" to ".join(names), error.strerror] if names else [error.strerror])
    return str(error)


def application() -> typer.Typer:
    """A typer application without commands yet: no rich markup, no tracebacks of its own, no shell completion."""
    app = typer.Typer(
        name=_NAME, cls=_Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    app.callback(help=_HELP)(_options)
    return app


def group(app: typer.Typer, name: str, text: str) -> typer.Typer:
    """Commands under one name: `hybrideval NAME COMMAND`."""
    inner = typer.Typer(name=name, help=text, rich_markup_mode=None)
    app.add_typer(inner)
    return inner


def add(app: typer.Typer, name: str, command: Callable[..., None]) -> None:
    """Make a function a command. Its docstring is the help; the lines from `Example:` on are shown as they stand."""
    text = inspect.cleandoc(command.__doc__ or "").replace("\n\nExample:", "\n\n\b\nExample:")
    app.command(name, help=text)(command)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"{_NAME} {version('pytest-hybrideval')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """What stands before the command."""
