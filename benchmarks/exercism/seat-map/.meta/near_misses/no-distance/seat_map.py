# Keeps no distance from other people.
Place = tuple[int, int]


def seat(plan: list[str], size: int, wheelchairs: int = 0) -> list[Place] | None:
    for row in sorted(range(len(plan)), key=lambda row: (abs(2 * row - (len(plan) - 1)), row)):
        for start in range(len(plan[row]) - size + 1):
            if _is_possible(plan[row], start, start + size, wheelchairs):
                return [(row, place) for place in range(start, start + size)]
    return None


def seat_all(plan: list[str], groups: list[tuple[str, int, int]]) -> tuple[dict[str, list[Place] | None], list[str]]:
    plan = list(plan)
    given: dict[str, list[Place] | None] = {}
    for name, size, wheelchairs in groups:
        places = given[name] = seat(plan, size, wheelchairs)
        for row, place in places or []:
            plan[row] = plan[row][:place] + "#" + plan[row][place + 1 :]
    return given, plan


def _is_possible(row: str, start: int, end: int, wheelchairs: int) -> bool:
    places = row[start:end]
    beside = row[max(start - 1, 0) : start] + row[end : end + 1]
    wide = places.count("w")
    return wide == wheelchairs and wide + places.count(".") == len(places)
