"""Count TODO and FIXME markers in a source tree."""

import argparse
import json
import os
import re
import sys

ALWAYS_IGNORED = frozenset({".git", "node_modules", "__pycache__"})
MARKER = re.compile(r"\b(?:TODO|FIXME)\b")


def count_markers(path):
    """Return {"TODO": n, "FIXME": n} for one file; a binary file has none."""
    counts = {"TODO": 0, "FIXME": 0}
    with open(path, "rb") as handle:
        data = handle.read()
    if b"\0" in data:
        return counts
    for marker in MARKER.findall(data.decode("utf-8", errors="replace")):
        counts[marker] += 1
    return counts


def source_files(root, ignored):
    """Yield the paths of the regular files below root, outside ignored directories."""
    for folder, dirnames, filenames in os.walk(root):
        dirnames[:] = [name for name in dirnames if name not in ignored]
        for name in filenames:
            if name in ignored:
                continue
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def scan(root, ignored):
    """Return the report as a dictionary, in the shape of the JSON output."""
    files = []
    total = {"TODO": 0, "FIXME": 0}
    for path in source_files(root, ignored):
        counts = count_markers(path)
        if any(counts.values()):
            relative = os.path.relpath(path, root).replace(os.sep, "/")
            files.append({"path": relative, **counts})
            for marker, count in counts.items():
                total[marker] += count
    files.sort(key=lambda entry: entry["path"])
    return {"files": files, "total": total}


def as_text(report):
    rows = [(entry["path"], entry) for entry in report["files"]]
    rows.append(("total", report["total"]))
    return "\n".join(f"{label}: TODO={counts['TODO']} FIXME={counts['FIXME']}" for label, counts in rows)


def build_parser():
    parser = argparse.ArgumentParser(prog="todo_counter", description=__doc__)
    parser.add_argument("root", metavar="ROOT")
    parser.add_argument("--ignore", metavar="NAME", action="append", default=[])
    parser.add_argument("--format", choices=["text", "json"], default="text")
    parser.add_argument("--max", metavar="N", type=int)
    return parser


def main(argv=None):
    args = build_parser().parse_args(argv)
    if not os.path.isdir(args.root):
        print(f"todo_counter: no such directory: {args.root}", file=sys.stderr)
        return 2
    report = scan(args.root, ALWAYS_IGNORED.union(args.ignore))
    print(json.dumps(report, indent=2) if args.format == "json" else as_text(report))
    if args.max is not None and sum(report["total"].values()) > args.max:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
