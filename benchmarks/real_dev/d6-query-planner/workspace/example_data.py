"""Tables to play with."""

TABLES: dict[str, list[dict[str, object]]] = {
    "orders": [
        {"id": 1, "customer": "Bo", "total": 12.5, "paid": True},
        {"id": 2, "customer": "Ada", "total": 3, "paid": False},
        {"id": 3, "customer": "Bo", "total": None, "paid": True},
        {"id": 4, "customer": None, "total": 7, "paid": None, "order": "express"},
    ],
}
