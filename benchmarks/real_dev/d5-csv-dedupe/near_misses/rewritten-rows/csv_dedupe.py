"""Drop duplicate rows of a CSV file, leaving the other rows exactly as they are."""

import argparse
import codecs
import csv
import io
import os
import shutil
import sys

csv.field_size_limit(2**31 - 1)


class InputError(Exception):
    """The input cannot be used; the text is the message for the user."""


def records(path, delimiter):
    """Yield every row, the header included and empty lines left out."""
    with open(path, encoding="utf-8-sig", newline="") as handle:
        yield from filter(None, csv.reader(handle, delimiter=delimiter))


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


def last_positions(path, delimiter, columns):
    """Map each key to the number of its last row; the header is row 0."""
    positions = {}
    for number, fields in enumerate(records(path, delimiter)):
        if number:
            positions[row_key(fields, columns)] = number
    return positions


def kept_rows(args, counts):
    """Yield the header and each row to keep; count the rows on the way."""
    rows = enumerate(records(args.input, args.delimiter))
    for _, header in rows:
        columns = key_columns(header, args.key)
        yield header
        break
    else:
        return
    wanted = last_positions(args.input, args.delimiter, columns) if args.keep == "last" else {}
    for number, fields in rows:
        counts["read"] += 1
        if wanted.setdefault(row_key(fields, columns), number) == number:
            counts["kept"] += 1
            yield fields


def write_rows(args, out, counts):
    if has_mark(args.input):
        out.write(codecs.BOM_UTF8)
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    writer = csv.writer(text, delimiter=args.delimiter, lineterminator="\n")
    writer.writerows(kept_rows(args, counts))
    text.flush()
    text.detach()


def check_header(args):
    for header in records(args.input, args.delimiter):
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
