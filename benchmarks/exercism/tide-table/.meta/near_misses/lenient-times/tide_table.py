# Accepts whatever int() accepts, such as 7:30, as parts of a time.
MINUTES_PER_DAY = 24 * 60

Window = tuple[str, str, int]


def depth_at(table: list[Window], time: str) -> int | None:
    return _depths(table)[_minutes(time)]


def next_passage(table: list[Window], time: str, draught: int) -> str | None:
    depths = _depths(table)
    start = _minutes(time)
    for minute in [*range(start, MINUTES_PER_DAY), *range(start)]:
        depth = depths[minute]
        if depth is not None and depth >= draught:
            return f"{minute // 60:02}:{minute % 60:02}"
    return None


def _depths(table: list[Window]) -> list[int | None]:
    depths: list[int | None] = [None] * MINUTES_PER_DAY
    for start, end, depth in table:
        first, last = _minutes(start), _minutes(end)
        length = (last - first) % MINUTES_PER_DAY or MINUTES_PER_DAY
        for minute in range(first, first + length):
            depths[minute % MINUTES_PER_DAY] = depth
    return depths


def _minutes(time: str) -> int:
    hour, minute = map(int, time.split(":"))
    if not (0 <= hour < 24 and 0 <= minute < 60):
        raise ValueError(f"not a time of day: {time!r}")
    return hour * 60 + minute
