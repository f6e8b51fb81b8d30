"""The `hybrideval` command: what is done with runs once they have run.

A command is a function in a module of its own; one line at the end of this file makes it one. Its arguments and options
are typer's, its docstring is its help and ends in an `Example:`. Heavy imports stand inside the function, so that
`hybrideval --help` is quick. It ends by returning (exit code 0), by `NegativeAnswer` where its own answer is no (1), or
by any other `HybridEvalError` or `OSError` (2); errors are one line on stderr.
"""

from __future__ import annotations

from pytest_hybrideval.cli.application import add, application, group
from pytest_hybrideval.cli.doctor import doctor_command
from pytest_hybrideval.cli.importing import import_command
from pytest_hybrideval.cli.merge import merge_command
from pytest_hybrideval.cli.plan import plan_command
from pytest_hybrideval.cli.report import compare_command, report_command
from pytest_hybrideval.cli.runs import runs_command
from pytest_hybrideval.cli.serve import serve_command
from pytest_hybrideval.cli.tasks import new_command, schema_command, validate_command

app = application()
add(app, "report", report_command)
add(app, "compare", compare_command)
add(app, "merge", merge_command)
add(app, "plan", plan_command)
add(app, "import", import_command)
add(app, "runs", runs_command)
add(app, "serve", serve_command)
add(app, "doctor", doctor_command)
tasks = group(app, "tasks", "Try out task folders, and begin new ones.")
add(tasks, "validate", validate_command)
add(tasks, "new", new_command)
add(tasks, "schema", schema_command)


def main() -> None:
    """What the installed script calls."""
    app(prog_name="hybrideval")
