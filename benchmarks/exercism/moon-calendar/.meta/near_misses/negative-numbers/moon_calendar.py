# Gives dates to negative day numbers.
Date = tuple[int, int, int]

MONTHS = (30, 29) * 6
LONG_MONTHS = (*MONTHS, 27)


def day_number(date: Date) -> int:
    year, month, day = date
    if year < 1 or not 1 <= month <= len(_months(year)) or not 1 <= day <= _months(year)[month - 1]:
        raise ValueError(f"there is no such date: {date}")
    return _days_before(year) + sum(_months(year)[: month - 1]) + day - 1


def date_of(number: int) -> Date:
    number = max(number, 0)
    year = 1 + number // sum(LONG_MONTHS)
    while _days_before(year + 1) <= number:
        year += 1
    rest = number - _days_before(year)
    month = 1
    for days in _months(year):
        if rest < days:
            break
        rest -= days
        month += 1
    return year, month, rest + 1


def weekday(date: Date) -> int:
    return (day_number(date) + 2) % 8 + 1


def add_months(date: Date, months: int) -> Date:
    day_number(date)
    year, month, day = date
    month += months
    while month < 1:
        year -= 1
        if year < 1:
            raise ValueError("the calendar begins with year 1")
        month += len(_months(year))
    while month > len(_months(year)):
        month -= len(_months(year))
        year += 1
    return year, month, min(day, _months(year)[month - 1])


def _months(year: int) -> tuple[int, ...]:
    is_long = year % 4 == 0 and (year % 36 != 0 or year % 180 == 0)
    return LONG_MONTHS if is_long else MONTHS


def _days_before(year: int) -> int:
    past = year - 1
    long_years = past // 4 - past // 36 + past // 180
    return past * sum(MONTHS) + long_years * LONG_MONTHS[-1]
