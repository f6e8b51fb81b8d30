"""Load the CSV files of flatten_jsonl into the reporting database."""

import csv
import sqlite3
import sys


def load(database: str, table: str, path: str) -> int:
    with open(path, encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in header)
    marks = ", ".join("?" for _ in header)
    with sqlite3.connect(database) as connection:
        connection.execute(f'create table if not exists "{table}" ({columns})')
        connection.executemany(f'insert into "{table}" values ({marks})', rows)
    return len(rows)


if __name__ == "__main__":
    print(load(*sys.argv[1:4]))
