"""What the people at the counter run: one order from words such as `assam=2 oolong=1`."""

from orders import Line, Order, OutOfStock, UnknownTea, place_order, regret_mail


def serve(customer: str, words: list[str]) -> str:
    pairs = [word.partition("=") for word in words]
    order = Order(customer, tuple(Line(tea, int(packs)) for tea, _, packs in pairs))
    try:
        return place_order(order).mail
    except OutOfStock as error:
        return regret_mail(order, error.missing)
    except UnknownTea as error:
        return f"Sorry, {error}."
