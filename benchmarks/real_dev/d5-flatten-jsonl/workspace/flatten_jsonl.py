"""Flatten JSON lines to CSV."""

import argparse
import csv
import json
import sys


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="flatten_jsonl", description=__doc__)
    parser.add_argument("files", metavar="FILE", nargs="*")
    args = parser.parse_args(argv)
    rows = []
    for name in args.files:
        with open(name) as handle:
            rows += [json.loads(line) for line in handle]
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
