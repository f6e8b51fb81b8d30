"""Order more of every item that runs low: python restock.py http://inventory.example [threshold]"""

from __future__ import annotations

import sys

from client import InventoryClient
from transport import HttpTransport

ORDER_SIZE = 50


def restock(client: InventoryClient, threshold: int) -> list[str]:
    """Place one order for each item below the threshold and return their SKUs."""
    ordered = []
    for item in client.iter_items():
        if item["stock"] < threshold:
            client.create_order(item["sku"], ORDER_SIZE)
            ordered.append(item["sku"])
    return ordered


if __name__ == "__main__":
    limit = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    for sku in restock(InventoryClient(HttpTransport(sys.argv[1])), limit):
        print(f"ordered {ORDER_SIZE} of {sku}")
