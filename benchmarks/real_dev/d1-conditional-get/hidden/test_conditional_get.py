import io
import json
import re
from wsgiref.util import setup_testing_defaults

import config
import pytest
from app import create_app
from store import RecipeStore

SOUP = {"serves": 4, "steps": ["Chop the leeks", "Simmer", "Purée"]}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.body = body
        assert len(self.headers) == len(headers), f"a header is sent twice: {headers}"

    @property
    def tag(self):
        return self.headers.get("etag")


class Client:
    def __init__(self):
        self.clock = Clock()
        self.app = create_app(RecipeStore(), self.clock)

    def send(self, path, method="GET", match=None, accept=None, data=None):
        body = b"" if data is None else json.dumps(data).encode()
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": str(len(body))}
        setup_testing_defaults(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        if match is not None:
            environ["HTTP_IF_NONE_MATCH"] = match
        if accept is not None:
            environ["HTTP_ACCEPT"] = accept
        started = []
        chunks = self.app(environ, lambda status, headers, exc_info=None: started.append((status, headers)))
        body = b"".join(chunks)
        ((status, headers),) = started
        return Answer(int(status.split()[0]), headers, body)

    def put(self, name, data):
        answer = self.send(f"/recipes/{name}", "PUT", data=data)
        assert answer.status == 200
        return answer


@pytest.fixture
def client():
    client = Client()
    client.put("soup", SOUP)
    client.put("bread", {"serves": 8, "steps": ["Knead", "Wait", "Bake"]})
    return client


# Headers


def test_a_recipe_has_a_strong_tag_and_cache_headers(client):
    answer = client.send("/recipes/soup")
    assert answer.status == 200
    assert json.loads(answer.body) == {"name": "soup", **SOUP}
    assert re.fullmatch(r'"[A-Za-z0-9_-]+"', answer.tag)
    assert answer.headers["cache-control"] == f"max-age={config.RECIPE_MAX_AGE}"
    assert answer.headers["vary"] == "Accept"


def test_the_list_has_a_weak_tag_and_must_be_asked_for_again(client):
    answer = client.send("/recipes")
    assert answer.status == 200
    assert json.loads(answer.body) == {"recipes": ["bread", "soup"], "generated_at": 1000.0}
    assert re.fullmatch(r'W/"[A-Za-z0-9_-]+"', answer.tag)
    assert answer.headers["cache-control"] == "no-cache"
    assert "vary" not in answer.headers


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/health", "GET", 200),
        ("/recipes/cake", "GET", 404),
        ("/nowhere", "GET", 404),
        ("/recipes", "POST", 405),
        ("/recipes/soup", "PUT", 400),
    ],
)
def test_other_answers_have_no_tag_and_are_not_stored(client, path, method, status):
    answer = client.send(path, method, match="*", data=[])
    assert answer.status == status
    assert answer.headers["cache-control"] == "no-store"
    assert not {"etag", "vary"} & answer.headers.keys()
    assert answer.body, "the answer keeps its body"


def test_the_answer_to_put_has_no_tag_and_is_not_stored(client):
    answer = client.put("soup", SOUP)
    assert json.loads(answer.body) == {"name": "soup", **SOUP}
    assert answer.headers["cache-control"] == "no-store"
    assert not {"etag", "vary"} & answer.headers.keys()


# What tags depend on


def test_the_tag_of_a_recipe_changes_with_the_recipe_and_comes_back_with_it(client):
    tags = []
    for serves in (4, 5, 4):
        client.put("soup", {**SOUP, "serves": serves})
        tags.append(client.send("/recipes/soup").tag)
    assert tags[0] == tags[2] != tags[1]


def test_recipes_with_different_names_have_different_tags(client):
    client.put("broth", SOUP)
    assert client.send("/recipes/soup").tag != client.send("/recipes/broth").tag


def test_servers_with_the_same_recipe_give_the_same_tag(client):
    other = Client()
    for _ in range(3):
        other.put("soup", SOUP)
    for accept in ("application/json", "text/plain"):
        assert other.send("/recipes/soup", accept=accept).tag == client.send("/recipes/soup", accept=accept).tag


def test_json_and_plain_text_have_different_tags(client):
    text, as_json = client.send("/recipes/soup", accept="text/plain"), client.send("/recipes/soup")
    assert text.body.startswith(b"soup (serves 4)\n1. Chop the leeks\n")
    assert text.tag != as_json.tag
    assert text.headers["vary"] == "Accept"
    assert client.send("/recipes/soup", accept="text/plain", match=as_json.tag).status == 200
    assert client.send("/recipes/soup", accept="text/plain", match=text.tag).status == 304


def test_the_tag_of_the_list_does_not_depend_on_the_time(client):
    before = client.send("/recipes")
    client.clock.now += 5
    assert client.send("/recipes").tag == before.tag
    assert client.send("/recipes", match=before.tag).status == 304


def test_the_tag_of_the_list_changes_with_the_names_only(client):
    before = client.send("/recipes").tag
    client.put("soup", {"serves": 1, "steps": []})
    assert client.send("/recipes").tag == before
    client.put("cake", {"serves": 12, "steps": []})
    assert client.send("/recipes").tag != before


# If-None-Match


@pytest.mark.parametrize("path", ["/recipes", "/recipes/soup"])
def test_a_304_has_the_cache_headers_of_the_200_and_no_body(client, path):
    full = client.send(path)
    answer = client.send(path, match=full.tag)
    assert (answer.status, answer.body) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert answer.headers.get(name) == full.headers.get(name), name
    assert not {"content-type", "content-length"} & answer.headers.keys()


def test_an_old_tag_gets_the_new_recipe(client):
    old = client.send("/recipes/soup").tag
    client.put("soup", {**SOUP, "serves": 6})
    answer = client.send("/recipes/soup", match=old)
    assert answer.status == 200
    assert json.loads(answer.body)["serves"] == 6


def test_a_tag_is_found_in_a_list(client):
    tag = client.send("/recipes/soup").tag
    for header in (f'"a", {tag}', f'{tag},W/"b"', f'"a,b"\t,  {tag} , "c"', f'"*", {tag}'):
        assert client.send("/recipes/soup", match=header).status == 304, header


@pytest.mark.parametrize("path", ["/recipes", "/recipes/soup"])
def test_weak_and_strong_forms_of_a_tag_name_the_same(client, path):
    strong = client.send(path).tag.removeprefix("W/")
    for header in (strong, "W/" + strong, f'"a", W/{strong}', f'W/"a", {strong}'):
        assert client.send(path, match=header).status == 304, header


def test_the_star_names_every_tag(client):
    for path in ("/recipes", "/recipes/soup"):
        assert client.send(path, match="*").status == 304


@pytest.mark.parametrize("form", ['"{}x"', '"x{}"', '"a,{},b"', '"*"', '"a*", "b"'])
def test_other_tags_are_not_taken_for_the_right_one(client, form):
    bare = client.send("/recipes/soup").tag.strip('"')
    assert client.send("/recipes/soup", match=form.format(bare)).status == 200


def test_a_header_of_another_form_is_ignored(client):
    bare = client.send("/recipes/soup").tag.strip('"')
    for header in ("", bare, f'"{bare}', f'*, "{bare}"', f'"a" "{bare}"', "**"):
        assert client.send("/recipes/soup", match=header).status == 200, header


def test_put_is_done_whatever_if_none_match_says(client):
    tag = client.send("/recipes/soup").tag
    for serves, header in ((7, tag), (8, "*")):
        answer = client.send("/recipes/soup", "PUT", match=header, data={**SOUP, "serves": serves})
        assert answer.status == 200
        assert json.loads(client.send("/recipes/soup").body)["serves"] == serves


# HEAD


def test_head_has_the_status_and_headers_of_get_and_no_body(client):
    for path in ("/health", "/recipes", "/recipes/soup", "/recipes/cake", "/nowhere"):
        for match in (None, "*", '"a"'):
            for accept in (None, "text/plain"):
                get = client.send(path, match=match, accept=accept)
                head = client.send(path, "HEAD", match=match, accept=accept)
                assert (head.status, head.headers, head.body) == (get.status, get.headers, b""), (path, match)


def test_head_gives_the_length_of_the_body_that_get_would_send(client):
    answer = client.send("/recipes/soup", "HEAD")
    assert answer.status == 200
    assert answer.headers["content-length"] == str(len(client.send("/recipes/soup").body))
