"""A shopping cart. Sample input for the counter."""


def total(items):
    # TODO: round half up, TODO(ana): ask for the currency
    return sum(price * count for price, count in items)


def todo_list():  # not a marker: lower case
    return ["MY_TODO", "TODOS"]
