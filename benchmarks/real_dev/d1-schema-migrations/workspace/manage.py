"""Look after the database of the tool library: python manage.py DB COMMAND"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

import database


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage", description=__doc__)
    parser.add_argument("db", metavar="DB", help="file of the database")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tables", help="list the tables")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    with closing(database.connect(args.db)) as connection:
        if args.command == "tables":
            for name in database.tables(connection):
                print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
