"""The sizes in which the archive shows pictures."""

SIZES = {"list": 96, "card": 320, "page": 1280}


def nearest(pixels: int) -> int:
    """The smallest of our sizes that is not below `pixels`, or else the largest."""
    return min((size for size in SIZES.values() if size >= pixels), default=max(SIZES.values()))
