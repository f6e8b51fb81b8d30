"""Compare the settings of two configuration files."""

import argparse
import sys


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="config_diff", description=__doc__)
    parser.add_argument("--mask", metavar="GLOB", action="append", default=[])
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    args = parser.parse_args(argv)
    with open(args.old) as old, open(args.new) as new:
        return int(old.read() != new.read())


if __name__ == "__main__":
    sys.exit(main())
