"""Write all sightings to standard output as tab-separated lines: python export.py FILE"""

from __future__ import annotations

import sys

from store import SightingStore


def lines(store: SightingStore) -> list[str]:
    return ["{seen_at}\t{species}\t{place}".format(**sighting) for sighting in store.all()]


if __name__ == "__main__":
    print("\n".join(lines(SightingStore(sys.argv[1]))))
