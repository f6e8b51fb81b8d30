"""Fill a new store with demo users: used by the screenshots in the manual."""

from __future__ import annotations

from users import UserStore

DEMO_USERS = [
    {
        "name": "Ada Byron",
        "email": "ada@example.org",
        "role": "admin",
        "tags": ["founder"],
        "newsletter": True,
    },
    {"name": "Carl Friedrich", "email": "carl@example.org", "age": 77, "role": "member", "tags": []},
]


def seeded_store() -> UserStore:
    store = UserStore()
    for user in DEMO_USERS:
        store.add(user)
    return store
