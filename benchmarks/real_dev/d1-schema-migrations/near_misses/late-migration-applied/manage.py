"""Look after the database of the tool library: python manage.py DB COMMAND"""

from __future__ import annotations

import argparse
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import database
from migrate import MigrationError, MigrationFailed, applied_numbers, load_migrations, migrate

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="manage", description=__doc__)
    parser.add_argument("db", metavar="DB", help="file of the database")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tables", help="list the tables")
    status = commands.add_parser("status", help="list the migrations")
    migration = commands.add_parser("migrate", help="apply the pending migrations")
    migration.add_argument("--to", type=int, metavar="NUMBER", help="the last migration to apply")
    for command in (status, migration):
        command.add_argument("--migrations", type=Path, default=MIGRATIONS, metavar="FOLDER")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    with closing(database.connect(args.db)) as connection:
        if args.command == "tables":
            for name in database.tables(connection):
                print(name)
            return 0
        try:
            if args.command == "status":
                show_status(connection, args.migrations)
            else:
                run_migrations(connection, args.migrations, args.to)
        except (MigrationError, ValueError) as error:
            print(f"manage: {error}", file=sys.stderr)
            return 1
    return 0


def show_status(connection: sqlite3.Connection, folder: Path) -> None:
    applied = set(applied_numbers(connection))
    for migration in load_migrations(folder):
        print(migration.number, migration.name, "applied" if migration.number in applied else "pending")


def run_migrations(connection: sqlite3.Connection, folder: Path, target: int | None) -> None:
    applied = []
    try:
        applied = migrate(connection, load_migrations(folder), target)
    except MigrationFailed as failure:
        applied = failure.applied
        raise
    finally:
        for migration in applied:
            print("applied", migration.number, migration.name)


if __name__ == "__main__":
    sys.exit(main())
