"""Redact secret values in .env-style text."""

import argparse
import sys
from fnmatch import fnmatch

DEFAULT_PATTERNS = ("*PASSWORD*", "*SECRET*", "TOKEN", "*_TOKEN", "*_KEY")
PLACEHOLDER = "[REDACTED]"


def redact_line(line, patterns):
    if "=" not in line:
        return line
    name, _value = line.split("=", 1)
    if any(fnmatch(name, pattern) for pattern in patterns):
        return f"{name}={PLACEHOLDER}"
    return line


def main(argv=None):
    parser = argparse.ArgumentParser(prog="redact_env", description=__doc__)
    parser.add_argument("file", metavar="FILE")
    args = parser.parse_args(argv)
    with open(args.file) as handle:
        for line in handle.read().splitlines():
            print(redact_line(line, DEFAULT_PATTERNS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
