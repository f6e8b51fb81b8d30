"""Command line of the hours log."""

from __future__ import annotations

import argparse
import datetime
import sys
from pathlib import Path

from entries import Entry, LogError, load, save
from exports import FORMATS, select
from totals import clock_format, minutes_by_project


class ExportError(Exception):
    """The export cannot be written."""


def iso_day(text: str) -> str:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"not a day of the form YYYY-MM-DD: {text}") from None


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hours", description=__doc__)
    parser.add_argument("--file", type=Path, default=Path("hours.json"), help="the log (default: hours.json)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add = commands.add_parser("add", help="book an entry")
    add.add_argument("day", type=iso_day)
    add.add_argument("project")
    add.add_argument("minutes", type=int)
    add.add_argument("--note", default="")
    add.add_argument("--tag", action="append", default=[], dest="tags")
    add.add_argument("--not-billable", action="store_false", dest="billable")
    add.set_defaults(run=run_add)

    show = commands.add_parser("list", help="show the entries and the totals")
    show.set_defaults(run=run_list)

    export = commands.add_parser("export", help="write entries as CSV or JSON")
    export.add_argument("--format", choices=sorted(FORMATS))
    export.add_argument("--project", action="append", default=[], dest="projects", metavar="NAME")
    export.add_argument("--since", metavar="DAY")
    export.add_argument("--until", metavar="DAY")
    export.add_argument("--output", default="-", metavar="FILE", help="default: standard output")
    export.add_argument("--force", action="store_true", help="overwrite FILE")
    export.set_defaults(run=run_export)
    return parser


def run_add(args: argparse.Namespace) -> None:
    entries = load(args.file)
    number = max((entry.id for entry in entries), default=0) + 1
    entry = Entry(number, args.day, args.project, args.minutes, args.billable, args.tags, note=args.note)
    save(args.file, [*entries, entry])
    print(f"booked {entry.id}")


def run_list(args: argparse.Namespace) -> None:
    entries = load(args.file)
    for entry in entries:
        print(f"{entry.id:>4} {entry.day} {entry.project:<12} {clock_format(entry.minutes):>7} {entry.note}".rstrip())
    for project, minutes in minutes_by_project(entries).items():
        print(f"{'total':>15} {project:<12} {clock_format(minutes):>7}")


def run_export(args: argparse.Namespace) -> None:
    entries = select(load(args.file), args.projects, args.since, args.until)
    text = FORMATS[args.format or guess_format(args.output)](entries)
    if args.output == "-":
        sys.stdout.write(text)
        return
    try:
        with open(args.output, "w" if args.force else "x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except FileExistsError:
        raise ExportError(f"{args.output} exists already, use --force to overwrite it") from None
    except OSError as error:
        raise ExportError(f"cannot write {args.output}: {error.strerror}") from error


def guess_format(output: str) -> str:
    return "json" if output.lower().endswith(".json") else "csv"


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    try:
        args.run(args)
    except (LogError, ExportError) as error:
        print(f"hours: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
