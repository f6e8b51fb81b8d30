"""List the sessions found in access logs."""

import argparse
import sys


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sessions", description=__doc__)
    parser.add_argument("--gap", metavar="SECONDS", type=int, default=1800)
    parser.add_argument("files", metavar="FILE", nargs="*")
    parser.parse_args(argv)
    raise NotImplementedError


if __name__ == "__main__":
    sys.exit(main())
