def day_number(date):
    pass


def date_of(number):
    pass


def weekday(date):
    pass


def add_months(date, months):
    pass
