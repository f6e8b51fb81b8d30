"""Drop duplicate rows of a CSV file."""

import argparse
import sys


def dedupe(text, key_name):
    lines = text.split("\n")
    header = lines[0].split(",")
    column = header.index(key_name)
    seen = set()
    kept = []
    for line in lines[1:]:
        fields = line.split(",")
        key = fields[column].strip()
        if key not in seen:
            seen.add(key)
            kept.append(",".join(fields))
    return "\n".join([lines[0], *kept])


def main(argv=None):
    parser = argparse.ArgumentParser(prog="csv_dedupe", description=__doc__)
    parser.add_argument("input", metavar="INPUT")
    parser.add_argument("--key", metavar="NAME", required=True)
    args = parser.parse_args(argv)
    with open(args.input) as handle:
        text = handle.read()
    sys.stdout.write(dedupe(text, args.key))
    return 0


if __name__ == "__main__":
    sys.exit(main())
