import copy

import pytest
from client import ApiError, Client
from mirror import SyncResult, sync
from report import count_by_state


class FakeApi:
    """The API as `API.md` describes it. `between` has functions to call after so many pages have been delivered."""

    def __init__(self, count=0, cap=50):
        self.cap = cap
        self.entries = []
        self.invisible = set()
        self.between = {}
        self.statuses = []
        self.tokens = {}
        self.expired = set()
        self.pages = self.requests = 0
        self._place = 0
        for number in range(1, count + 1):
            self.put(number)

    def put(self, number, version=1, **fields):
        """Create or change a ticket, which goes to the end of the list."""
        self.entries = [entry for entry in self.entries if entry[1]["id"] != number]
        self.add(number, version, **fields)

    def add(self, number, version, **fields):
        self._place += 1
        values = {"title": f"ticket {number}", "state": "open", **fields}
        self.entries.append((self._place, {"id": number, "version": version, **values}))

    def delete(self, number, version=2):
        self.entries = [entry for entry in self.entries if entry[1]["id"] != number]
        self._place += 1
        self.entries.append((self._place, {"id": number, "version": version, "deleted": True}))

    def __call__(self, path, params):
        assert path == "/tickets"
        self.requests += 1
        assert self.requests < 300, "the walk does not end"
        status = self.statuses.pop(0) if self.statuses else 200
        if callable(status):
            status = status(params)
        token = params.get("after")
        if status == 410:
            self.expired.add(token)
        if token in self.expired:
            status = 410
        if status != 200:
            return status, {"error": "try something else"}
        rest = self.entries[int(params.get("offset", 0)) :]
        if token is not None:
            rest = [entry for entry in rest if entry[0] > self.tokens[token]]
        size = min(int(params.get("limit", self.cap)), self.cap)
        page, more = rest[:size], rest[size:]
        token = f"<&={self.requests}+>"
        self.tokens[token] = page[-1][0] if page else 0
        body = {
            "tickets": [copy.deepcopy(ticket) for _, ticket in page if ticket["id"] not in self.invisible],
            "next": token if more else None,
        }
        self.pages += 1
        self.between.pop(self.pages, lambda: None)()
        return 200, body


def synced(api):
    store = {}
    sync(Client(api), store)
    return store


def ids(*ranges):
    return [number for part in ranges for number in part]


@pytest.mark.parametrize("count", [51, 100, 212])
def test_all_tickets_are_found(count):
    assert sorted(synced(FakeApi(count))) == ids(range(1, count + 1))
    assert count_by_state(Client(FakeApi(count))) == {"open": count}


def test_a_page_with_tickets_that_we_may_not_see_is_not_the_last():
    api = FakeApi(212)
    api.invisible = {120, 131}
    assert sorted(synced(api)) == ids(range(1, 120), range(121, 131), range(132, 213))


def test_an_empty_page_is_not_the_last():
    api = FakeApi(130)
    api.invisible = set(range(51, 101))
    assert sorted(synced(api)) == ids(range(1, 51), range(101, 131))
    assert count_by_state(Client(api)) == {"open": 80}


def test_the_api_may_cut_shorter_pages_than_asked_for():
    assert sorted(synced(FakeApi(20, cap=3))) == ids(range(1, 21))


def test_no_neighbour_of_a_changed_ticket_is_missing():
    api = FakeApi(120)
    api.between = {1: lambda: api.put(5, 2), 2: lambda: api.put(60, 2)}
    store = synced(api)
    assert sorted(store) == ids(range(1, 121))
    assert (store[5]["version"], store[60]["version"]) == (2, 2)


def test_no_neighbour_of_a_deleted_ticket_is_missing():
    api = FakeApi(120)
    api.between = {1: lambda: api.delete(5), 2: lambda: api.delete(110)}
    assert sorted(synced(api)) == ids(range(1, 5), range(6, 110), range(111, 121))


def test_a_ticket_that_is_created_meanwhile_is_found():
    api = FakeApi(100)
    api.between = {1: lambda: api.put(777)}
    assert sorted(synced(api)) == ids(range(1, 101), [777])


def test_the_newest_version_is_in_the_copy():
    api = FakeApi(60)
    api.put(3, 9, state="open")
    api.between = {1: lambda: api.put(7, 2, state="closed", title="done")}
    assert synced(api)[7] == {"id": 7, "version": 2, "state": "closed", "title": "done"}


@pytest.mark.parametrize("versions", [(9, 10), (10, 9), (9, 11, 10)])
def test_the_higher_version_counts_in_whichever_order_they_come(versions):
    def api():
        api = FakeApi(10, cap=4)
        for version in versions:
            api.add(99, version, state=f"v{version}")
        return api

    newest = max(versions)
    assert synced(api())[99]["version"] == newest
    assert count_by_state(Client(api())) == {"open": 10, f"v{newest}": 1}


def test_a_ticket_that_is_changed_meanwhile_is_counted_once_in_its_new_state():
    api = FakeApi(60)
    api.between = {1: lambda: api.put(7, 2, state="closed")}
    assert count_by_state(Client(api)) == {"open": 59, "closed": 1}


def test_deleted_tickets_are_neither_copied_nor_counted():
    def api():
        api = FakeApi(60)
        api.delete(30)
        api.between = {1: lambda: api.delete(31)}
        return api

    assert sorted(synced(api())) == ids(range(1, 30), range(32, 61))
    assert count_by_state(Client(api())) == {"open": 58}


def test_an_older_version_does_not_bring_a_deleted_ticket_back():
    def api():
        api = FakeApi(10, cap=4)
        api.delete(3, version=5)
        api.add(3, 4)
        return api

    assert sorted(synced(api())) == ids([1, 2], range(4, 11))
    assert count_by_state(Client(api())) == {"open": 9}


def expired(params):
    return 410 if "after" in params else 200


def test_the_walk_begins_again_when_the_token_has_expired():
    api = FakeApi(120)
    api.statuses = [200, 200, expired]
    assert sorted(synced(api)) == ids(range(1, 121))
    api = FakeApi(120)
    api.statuses = [200, expired, 200, 200, expired, 200, expired]
    assert count_by_state(Client(api)) == {"open": 120}


def test_the_fourth_expired_token_of_a_walk_is_an_error():
    api = FakeApi(120)
    api.statuses = [200, expired] * 4
    store = {5: {"id": 5, "version": 1, "title": "old", "state": "open"}}
    before = copy.deepcopy(store)
    with pytest.raises(ApiError) as caught:
        sync(Client(api), store)
    assert caught.value.status == 410
    assert store == before


@pytest.mark.parametrize("status", [429, 503])
def test_a_page_is_asked_for_up_to_three_times(status):
    api = FakeApi(120)
    api.statuses = [status, 200, status, status, 200, status]
    assert sorted(synced(api)) == ids(range(1, 121))


@pytest.mark.parametrize("statuses", [[200, 503, 429, 503], [200, 200, 500]])
def test_a_failed_sync_leaves_the_store_as_it_was(statuses):
    api = FakeApi(120)
    api.statuses = statuses
    store = {5: {"id": 5, "version": 1, "title": "old", "state": "open"}}
    before = copy.deepcopy(store)
    with pytest.raises(ApiError):
        sync(Client(api), store)
    assert store == before


def test_the_result_says_what_has_happened_to_the_copy():
    api = FakeApi(60)
    store = synced(api)
    api.delete(1)
    api.put(2, 2, state="closed")
    api.put(61)
    api.put(62)
    api.between = {api.pages + 1: lambda: api.put(61, 2)}
    assert sync(Client(api), store) == SyncResult(added=2, changed=1, removed=1)
    assert sync(Client(api), store) == SyncResult(0, 0, 0)
