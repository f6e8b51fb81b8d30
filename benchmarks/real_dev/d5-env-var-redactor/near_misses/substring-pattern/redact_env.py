"""Redact secret values in .env-style text."""

import argparse
import re
import sys

DEFAULT_PATTERNS = ("*PASSWORD*", "*SECRET*", "TOKEN", "*_TOKEN", "*_KEY")
PLACEHOLDER = "[REDACTED]"

ASSIGNMENT = re.compile(
    r"(?P<head>[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*=)(?P<rest>.*)", re.DOTALL
)
TAIL = r"(?P<tail>[ \t]+#.*|[ \t]*)"
DOUBLE_QUOTED = re.compile(r'(?P<open>[ \t]*")(?P<value>(?:\\.|[^"\\])*)(?P<close>")' + TAIL, re.DOTALL)
SINGLE_QUOTED = re.compile(r"(?P<open>[ \t]*')(?P<value>[^']*)(?P<close>')" + TAIL, re.DOTALL)
BROKEN_QUOTE = re.compile(r"(?P<open>[ \t]*)(?P<value>[\"'].*)(?P<close>)(?P<tail>)", re.DOTALL)
UNQUOTED = re.compile(r"(?P<open>[ \t]*?)(?P<value>(?:[^ \t].*?)?)(?P<close>)" + TAIL, re.DOTALL)
VALUE_FORMS = (DOUBLE_QUOTED, SINGLE_QUOTED, BROKEN_QUOTE, UNQUOTED)


def matches_any(name, patterns):
    return any(pattern.strip("*_").upper() in name.upper() for pattern in patterns)


def redact_rest(rest):
    """Return the text after the equals sign with its value replaced."""
    for form in VALUE_FORMS:
        match = form.fullmatch(rest)
        if match:
            if not match["value"]:
                return rest
            return match["open"] + PLACEHOLDER + match["close"] + match["tail"]
    return rest


def redact_lines(text, patterns, allowed):
    """Yield (line with its line end, name if a value was replaced, else None)."""
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        body = re.sub(r"\r?\n\Z", "", line)
        end = line[len(body) :]
        match = ASSIGNMENT.fullmatch(body)
        if match and matches_any(match["name"], patterns) and not matches_any(match["name"], allowed):
            rest = redact_rest(match["rest"])
            changed = rest != match["rest"]
            yield match["head"] + rest + end, match["name"] if changed else None
        else:
            yield line, None


def read_input(name):
    if name == "-":
        return sys.stdin.buffer.read()
    with open(name, "rb") as handle:
        return handle.read()


def main(argv=None):
    parser = argparse.ArgumentParser(prog="redact_env", description=__doc__)
    parser.add_argument("file", metavar="FILE", nargs="?", default="-")
    parser.add_argument("--pattern", metavar="GLOB", action="append", default=[])
    parser.add_argument("--allow", metavar="GLOB", action="append", default=[])
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args(argv)
    try:
        data = read_input(args.file)
    except OSError as error:
        print(f"redact_env: {error.strerror}: {args.file}", file=sys.stderr)
        return 2
    text = data.decode("utf-8", errors="surrogateescape")
    lines = list(redact_lines(text, [*DEFAULT_PATTERNS, *args.pattern], args.allow))
    if args.check:
        found = [f"{number}: {name}" for number, (_, name) in enumerate(lines, start=1) if name]
        for entry in found:
            print(entry)
        return 1 if found else 0
    result = "".join(line for line, _ in lines)
    sys.stdout.buffer.write(result.encode("utf-8", errors="surrogateescape"))
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
