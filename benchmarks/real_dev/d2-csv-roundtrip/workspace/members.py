"""Work with member files. Usage: members.py convert IN OUT | members.py count IN"""

from __future__ import annotations

import sys
from pathlib import Path

from model import FormatError
from storage import export_file, import_file


def main(argv: list[str]) -> int:
    try:
        match argv:
            case ["convert", source, target]:
                export_file(import_file(Path(source)), Path(target))
            case ["count", source]:
                print(len(import_file(Path(source))))
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except (FormatError, OSError) as error:
        print(f"members: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
