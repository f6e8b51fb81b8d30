"""Print an invoice. Usage: python invoice.py FILE"""

from __future__ import annotations

import sys
from pathlib import Path

from layout import render
from load import read_invoice
from totals import compute


def main(argv: list[str]) -> int:
    if len(argv) != 1:
        print("usage: python invoice.py FILE", file=sys.stderr)
        return 2
    invoice = read_invoice(Path(argv[0]).read_text(encoding="utf-8"))
    print(render(invoice, compute(invoice)), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
