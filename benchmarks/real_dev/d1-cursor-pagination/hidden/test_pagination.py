import io
import itertools
import json
import re
from urllib.parse import urlencode
from wsgiref.util import setup_testing_defaults

import pytest
from app import create_app
from store import SightingStore

SECRET = b"for tests only"
NOON = "2024-05-17T12:00:00Z"
CURSOR_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Client:
    def __init__(self, store, secret=SECRET):
        self.app = create_app(store, secret)

    def send(self, path="/sightings", query=""):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query}
        setup_testing_defaults(environ)
        environ["wsgi.input"] = io.BytesIO()
        statuses = []
        chunks = self.app(environ, lambda status, headers, exc_info=None: statuses.append(status))
        body = json.loads(b"".join(chunks))
        return int(statuses[0].split()[0]), body

    def page(self, **parameters):
        """The ids of one page and the cursor behind it."""
        status, body = self.send(query=urlencode({k: v for k, v in parameters.items() if v is not None}))
        assert status == 200, f"status {status} for {parameters}: {body}"
        return [sighting["id"] for sighting in body["sightings"]], body["next"]

    def pages(self, limits, **parameters):
        """The ids of all pages, with the given limits one after another, over and over."""
        cursor, pages = None, []
        for limit in itertools.cycle(limits):
            ids, cursor = self.page(limit=limit, cursor=cursor, **parameters)
            pages.append(ids)
            assert len(pages) < 100, "the list does not end"
            if cursor is None:
                return pages

    def assert_bad_cursor(self, cursor, **parameters):
        status, body = self.send(query=urlencode({**parameters, "cursor": cursor}))
        assert (status, body) == (400, {"error": "bad cursor"}), f"cursor {cursor!r}"


def at(minute):
    return f"2024-05-17T10:{minute:02}:00Z"


@pytest.fixture
def store():
    """Ids 1 to 12 at three times, so that time and id disagree: 3 6 9 12, then 2 5 8 11, then 1 4 7 10."""
    store = SightingStore()
    for number in range(12):
        store.add("wren" if number % 2 else "dunnock", "pond", at(number % 3))
    return store


ORDER = [3, 6, 9, 12, 2, 5, 8, 11, 1, 4, 7, 10]


@pytest.fixture
def client(store):
    return Client(store)


# Pages


@pytest.mark.parametrize("limits", [[1], [5], [100], [2, 1, 4]], ids=str)
def test_following_the_cursors_gives_each_sighting_once_and_in_order(client, limits):
    pages = client.pages(limits)
    assert [sighting for page in pages for sighting in page] == ORDER
    assert all(len(page) == limit for page, limit in zip(pages[:-1], itertools.cycle(limits), strict=False))


@pytest.mark.parametrize("limit", [4, 6, 12])
def test_a_full_last_page_has_no_next(client, limit):
    pages = client.pages([limit])
    assert [len(page) for page in pages] == [limit] * (12 // limit)


def test_an_empty_list_is_one_empty_page():
    assert Client(SightingStore()).page() == ([], None)


def test_the_sightings_of_a_page_are_complete(client):
    _, body = client.send(query="limit=1")
    assert body["sightings"] == [{"id": 3, "species": "dunnock", "place": "pond", "seen_at": at(2)}]
    assert client.send("/sightings/3") == (200, body["sightings"][0])


def test_the_limit_is_20_by_default_and_100_at_most():
    store = SightingStore()
    for _ in range(101):
        store.add("wren", "pond", NOON)
    client = Client(store)
    assert client.page()[0] == list(range(1, 21))
    ids, cursor = client.page(limit=100)
    assert (len(ids), client.page(cursor=cursor)) == (100, ([101], None))


def test_a_wrong_limit_is_refused(client):
    for limit in ("0", "101", "-1", "", "ten", "5.0", "1000000000000"):
        answer = client.send(query=urlencode({"limit": limit}))
        assert answer == (400, {"error": "bad limit"}), f"limit={limit}"


def test_a_species_is_paged_by_itself(client):
    expected = [sighting for sighting in ORDER if sighting % 2 == 0]
    assert client.pages([4], species="wren") == [expected[:4], expected[4:]]


def test_a_species_with_special_characters_is_paged(store, client):
    for species in ("a&b=c?", 'ä "x" ü', "a&b=c?", 'ä "x" ü'):
        store.add(species, "moor", NOON)
    assert client.pages([1], species="a&b=c?") == [[13], [15]]
    assert client.pages([1], species='ä "x" ü') == [[14], [16]]


# Changes while a client reads


def test_sightings_added_before_the_cursor_do_not_shift_the_pages(store, client):
    first, cursor = client.page(limit=5)
    store.add("crane", "moor", at(30))
    store.add("crane", "moor", at(31))
    second, _ = client.page(limit=7, cursor=cursor)
    assert first + second == ORDER


def test_sightings_deleted_before_the_cursor_do_not_shift_the_pages(store, client):
    first, cursor = client.page(limit=5)
    store.delete(3)
    store.delete(9)
    second, _ = client.page(limit=7, cursor=cursor)
    assert first + second == ORDER


@pytest.mark.parametrize("limit", [2, 4, 7])
def test_the_sighting_at_which_a_page_ended_may_be_deleted(store, client, limit):
    first, cursor = client.page(limit=limit)
    store.delete(first[-1])
    second, _ = client.page(limit=50, cursor=cursor)
    assert second == ORDER[limit:]


def test_a_new_sighting_behind_the_cursor_shows_up(store, client):
    first, cursor = client.page(limit=5)
    same_time, older = store.add("crane", "moor", at(1)), store.add("crane", "moor", at(0))
    second, _ = client.page(limit=50, cursor=cursor)
    assert second == [5, 8, 11, same_time, 1, 4, 7, 10, older]


def test_a_cursor_whose_rest_was_deleted_gives_an_empty_last_page(store, client):
    _, cursor = client.page(limit=10)
    store.delete(7)
    store.delete(10)
    assert client.page(cursor=cursor) == ([], None)


# Cursors


def test_cursors_use_the_allowed_characters_only(store, client):
    for species in ("é?~", "a b+c/d", "wren"):
        for minute in range(4):
            store.add(species, "pond", at(minute))
        _, cursor = client.page(limit=1, species=species)
        assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor), cursor


def test_a_cursor_with_one_changed_character_is_refused(client):
    for limit in (1, 2, 4, 6, 11):
        _, cursor = client.page(limit=limit)
        for position, character in enumerate(cursor):
            other = CURSOR_ALPHABET[CURSOR_ALPHABET.index(character) ^ 1]
            client.assert_bad_cursor(cursor[:position] + other + cursor[position + 1 :])


def test_cut_and_prolonged_cursors_are_refused(client):
    _, cursor = client.page(limit=6)
    for changed in (cursor[:-1], cursor[1:], cursor[: len(cursor) // 2], cursor + "A", cursor + "=", cursor + " "):
        client.assert_bad_cursor(changed)


def test_an_empty_cursor_is_refused(client):
    client.assert_bad_cursor("")


def test_texts_that_are_no_cursors_are_refused(client):
    for text in ("0", "5", "abc", "....", "MTI", "e30", "null", "W10", "é", "\x00", "%", "=" * 64):
        client.assert_bad_cursor(text)


def test_a_cursor_is_bad_for_another_species(client):
    _, of_all = client.page(limit=2)
    _, of_wrens = client.page(limit=2, species="wren")
    client.assert_bad_cursor(of_all, species="wren")
    client.assert_bad_cursor(of_wrens)
    client.assert_bad_cursor(of_wrens, species="dunnock")


def test_an_empty_species_is_all_species(client):
    first, cursor = client.page(limit=5, species="")
    assert first + client.page(limit=50, cursor=cursor)[0] == ORDER


def test_cursors_survive_a_restart(store, client):
    _, cursor = client.page(limit=5)
    assert Client(store).page(cursor=cursor) == (ORDER[5:], None)


def test_cursors_made_with_another_secret_are_refused(store, client):
    _, cursor = Client(store, b"another secret").page(limit=5)
    client.assert_bad_cursor(cursor)


def test_the_store_still_lists_everything_at_once(store):
    assert [sighting["id"] for sighting in store.all("wren")] == [i for i in ORDER if i % 2 == 0]
    for _ in range(100):
        store.add("crane", "moor", at(0))
    assert [sighting["id"] for sighting in store.all()] == [*ORDER, *range(13, 113)]
