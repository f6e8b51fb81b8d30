"""Drop duplicate rows of a CSV file, leaving the other rows exactly as they are."""

import argparse
import codecs
import csv
import os
import shutil
import sys

csv.field_size_limit(2**31 - 1)


class InputError(Exception):
    """The input cannot be used; the text is the message for the user."""


class RawLines:
    """Iterate over lines and remember the text handed out since the last take()."""

    def __init__(self, lines):
        self._lines = iter(lines)
        self._taken = []

    def __iter__(self):
        return self

    def __next__(self):
        line = next(self._lines)
        self._taken.append(line)
        return line

    def take(self):
        raw = "".join(self._taken)
        self._taken.clear()
        return raw


def records(path, delimiter):
    """Yield (fields, raw text) of every row, the header included and empty lines left out."""
    with open(path, encoding="utf-8-sig", newline="") as handle:
        lines = RawLines(handle)
        for fields in csv.reader(lines, delimiter=delimiter):
            raw = lines.take()
            if fields:
                yield fields, raw


def has_mark(path):
    with open(path, "rb") as handle:
        return handle.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8


def key_columns(header, names):
    for name in names:
        if name not in header:
            raise InputError(f"no such column: {name}")
    return [header.index(name) for name in names]


def row_key(fields, columns):
    return tuple(fields[column] if column < len(fields) else "" for column in columns)


def kept_rows(args, counts):
    """Yield the raw text of the header and of each row to keep; count the rows on the way."""
    rows = records(args.input, args.delimiter)
    for header, raw in rows:
        columns = key_columns(header, args.key)
        yield raw
        break
    else:
        return
    seen = set()
    if args.keep == "last":
        kept = []
        for fields, raw in reversed(list(rows)):
            counts["read"] += 1
            key = row_key(fields, columns)
            if key not in seen:
                seen.add(key)
                kept.append(raw)
        counts["kept"] = len(kept)
        yield from reversed(kept)
        return
    for fields, raw in rows:
        counts["read"] += 1
        key = row_key(fields, columns)
        if key not in seen:
            seen.add(key)
            counts["kept"] += 1
            yield raw


def write_rows(args, out, counts):
    if has_mark(args.input):
        out.write(codecs.BOM_UTF8)
    for raw in kept_rows(args, counts):
        out.write(raw.encode("utf-8"))


def check_header(args):
    for header, _ in records(args.input, args.delimiter):
        key_columns(header, args.key)
        break


def run(args, counts):
    check_header(args)
    if args.output is None:
        write_rows(args, sys.stdout.buffer, counts)
        sys.stdout.flush()
        return
    part = f"{args.output}.part"
    try:
        with open(part, "wb") as out:
            write_rows(args, out, counts)
        if os.path.exists(args.output):
            shutil.copymode(args.output, part)
        os.replace(part, args.output)
    finally:
        if os.path.exists(part):
            os.remove(part)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="csv_dedupe", description=__doc__)
    parser.add_argument("input", metavar="INPUT")
    parser.add_argument("--key", metavar="NAME", action="append", required=True)
    parser.add_argument("--keep", choices=["first", "last"], default="first")
    parser.add_argument("--delimiter", metavar="CHAR", default=",")
    parser.add_argument("-o", "--output", metavar="OUTPUT")
    args = parser.parse_args(argv)
    counts = {"read": 0, "kept": 0}
    try:
        run(args, counts)
    except (InputError, OSError, UnicodeDecodeError, csv.Error) as error:
        message = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)
        print(f"csv_dedupe: {message}", file=sys.stderr)
        return 2
    dropped = counts["read"] - counts["kept"]
    print(f"rows read: {counts['read']}, kept: {counts['kept']}, dropped: {dropped}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
