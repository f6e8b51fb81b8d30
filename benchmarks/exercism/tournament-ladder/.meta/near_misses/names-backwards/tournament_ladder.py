# Sorts backwards as a whole, so that level teams stand in reverse order of names.
from collections.abc import Iterable, Iterator

Game = tuple[str, str, int | None, int | None]


def ladder(games: list[Game]) -> list[tuple[int, str, int, int, int]]:
    names = {name for game in games for name in game[:2]}
    results = list(_results(games))

    def total(name: str, opponents: Iterable[str]) -> tuple[int, int, int, int]:
        """Games played, points, difference and goals of a team against these opponents."""
        own = [(scored, against) for team, other, scored, against in results if team == name and other in opponents]
        points = sum(3 if scored > against else scored == against for scored, against in own)
        difference = sum(scored - against for scored, against in own)
        return len(own), points, difference, sum(scored for scored, _ in own)

    totals = {name: total(name, names) for name in names}

    def strength(name: str) -> tuple[int, ...]:
        _, points, difference, goals = totals[name]
        level = {other for other in names if totals[other][1] == points}
        _, inner_points, inner_difference, _ = total(name, level)
        return points, inner_points, inner_difference, difference, goals

    strengths = {name: strength(name) for name in names}
    table = []
    for name in sorted(names, key=lambda name: (strengths[name], name), reverse=True):
        rank = 1 + sum(other > strengths[name] for other in strengths.values())
        played, points, difference, _ = totals[name]
        table.append((rank, name, played, points, difference))
    return table


def _results(games: list[Game]) -> Iterator[tuple[str, str, int, int]]:
    """Each played game twice, from the view of either team."""
    for home, away, home_goals, away_goals in games:
        if home_goals is not None and away_goals is not None:
            yield home, away, home_goals, away_goals
            yield away, home, away_goals, home_goals
