import copy
import http.client
import json
import threading

import pytest
from app import create_server
from validation import validate_user

MINIMAL = {"name": "Grace", "email": "grace@example.org"}


def problems(**changes):
    """Validate MINIMAL with some fields changed and return (field, code) of each error."""
    user, errors = validate_user({**MINIMAL, **changes})
    assert (user is None) == bool(errors), "expected either a user or errors"
    return [(error["field"], error["code"]) for error in errors]


# validate_user


def test_complete_user_is_accepted_as_given():
    payload = {**MINIMAL, "age": 42, "role": "editor", "tags": ["a", "b"], "newsletter": True}
    assert validate_user(payload) == (payload, [])


def test_missing_optional_fields_get_their_defaults_and_age_stays_out():
    user, errors = validate_user(dict(MINIMAL))
    assert errors == []
    assert user == {**MINIMAL, "role": "member", "tags": [], "newsletter": False}


def test_name_loses_the_white_space_at_both_ends_and_the_payload_stays_unchanged():
    payload = {**MINIMAL, "name": "  Grace Brewster \n", "tags": ["a"]}
    before = copy.deepcopy(payload)
    user, _ = validate_user(payload)
    assert user["name"] == "Grace Brewster"
    assert payload == before, "validate_user must not change its argument"


def test_name_length_is_measured_without_the_white_space():
    assert problems(name="x") == []
    assert problems(name="  " + "x" * 80 + "  ") == [], "80 characters and spaces around them are fine"
    assert problems(name="x" * 81) == [("name", "length")]
    assert problems(name="") == [("name", "length")]
    assert problems(name=" \t ") == [("name", "length")], "nothing is left without the white space"


def test_malformed_email_is_a_format_error():
    for email in ["grace", "@example.org", "grace@", "a@b@c", "", "@"]:
        assert problems(email=email) == [("email", "format")], f"email is {email!r}"


def test_age_bounds_are_included():
    results = {age: problems(age=age) for age in (13, 120, 12, 121, -20)}
    outside = [("age", "range")]
    assert results == {13: [], 120: [], 12: outside, 121: outside, -20: outside}


@pytest.mark.parametrize("age", [True, 30.0, "30"], ids=repr)
def test_age_must_be_a_real_integer(age):
    assert problems(age=age) == [("age", "type")]


def test_wrong_type_is_a_type_error():
    wrong = [
        ("name", 5),
        ("email", ["a@b"]),
        ("role", {}),
        ("tags", "a"),
        ("tags", ["a", 1]),
        ("newsletter", 1),
    ]
    for field, value in wrong:
        assert problems(**{field: value}) == [(field, "type")], f"{field} is {value!r}"


def test_null_is_a_type_error_in_every_field():
    fields = ["name", "email", "age", "role", "tags", "newsletter"]
    assert problems(**dict.fromkeys(fields)) == [(field, "type") for field in fields]


def test_role_must_be_one_of_the_choices():
    assert [problems(role=role) for role in ("member", "editor", "admin")] == [[], [], []]
    assert problems(role="Admin") == [("role", "choice")]


def test_at_most_five_tags():
    assert problems(tags=list("abcde")) == []
    assert problems(tags=list("abcdef")) == [("tags", "length")]
    assert problems(tags=[*"abcdef", 7]) == [("tags", "type")], "the type goes before the length"


def test_all_errors_are_reported_in_table_order_with_unknown_fields_last():
    payload = {"zip": 1, "newsletter": "yes", "role": "root", "age": 5, "id": 9, "email": "nobody"}
    user, errors = validate_user(payload)
    assert user is None
    assert [(error["field"], error["code"]) for error in errors] == [
        ("name", "required"),
        ("email", "format"),
        ("age", "range"),
        ("role", "choice"),
        ("newsletter", "type"),
        ("id", "unknown"),
        ("zip", "unknown"),
    ]


def test_errors_have_exactly_field_code_and_a_message():
    _, errors = validate_user({"name": 1, "age": 200})
    assert len(errors) == 3
    for error in errors:
        assert set(error) == {"field", "code", "message"}
        assert isinstance(error["message"], str) and error["message"].strip(), "message must not be empty"


# The server


class Api:
    def __init__(self, port):
        self.port = port

    def send(self, method, path, body=None):
        """Send one request and return status, decoded body and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, body=body)
            response = connection.getresponse()
            return response.status, json.loads(response.read()), response.headers
        finally:
            connection.close()

    def create(self, **user):
        return self.send("POST", "/users", json.dumps(user).encode())


@pytest.fixture
def api():
    server = create_server("127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield Api(server.server_address[1])
    server.shutdown()
    server.server_close()
    thread.join()


def test_valid_user_is_stored_and_answered_with_201(api):
    status, user, headers = api.create(name=" Grace ", email="grace@example.org", age=30)
    assert status == 201
    assert headers["Location"] == "/users/1"
    assert user == {
        "id": 1,
        "name": "Grace",
        "email": "grace@example.org",
        "age": 30,
        "role": "member",
        "tags": [],
        "newsletter": False,
    }
    assert api.send("GET", "/users/1")[:2] == (200, user)


@pytest.mark.parametrize(
    "body", [b"{name: 1}", b"", b'{"name": "\xff", "email": "a@b"}'], ids=["broken", "empty", "not utf-8"]
)
def test_body_that_is_not_json_gets_400(api, body):
    status, answer, _ = api.send("POST", "/users", body)
    assert status == 400
    assert answer == {"error": "malformed body", "errors": []}


@pytest.mark.parametrize("body", [b"[]", b"null"], ids=["array", "null"])
def test_json_that_is_not_an_object_gets_400(api, body):
    status, answer, _ = api.send("POST", "/users", body)
    assert status == 400
    assert answer == {"error": "malformed body", "errors": []}


def test_invalid_user_gets_422_with_all_errors(api):
    status, answer, headers = api.create(name="", age=7, nickname="g")
    assert status == 422
    assert answer["error"] == "validation failed"
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [
        ("name", "length"),
        ("email", "required"),
        ("age", "range"),
        ("nickname", "unknown"),
    ]
    assert headers["Location"] is None


def test_empty_object_lacks_the_required_fields(api):
    status, answer, _ = api.create()
    assert status == 422, "an empty object is an object"
    assert [(error["field"], error["code"]) for error in answer["errors"]] == [
        ("name", "required"),
        ("email", "required"),
    ]


def test_refused_requests_store_nothing_and_use_up_no_id(api):
    api.create(name="Grace")
    api.send("POST", "/users", b"oops")
    assert api.send("GET", "/users")[1] == {"users": []}
    assert api.create(**MINIMAL)[1]["id"] == 1


def test_a_tag_added_to_one_user_does_not_appear_on_others(api):
    api.create(**MINIMAL)
    api.create(**MINIMAL)
    status, user, _ = api.send("PUT", "/users/1/tags/vip")
    assert (status, user["tags"]) == (200, ["vip"])
    assert api.send("GET", "/users/2")[1]["tags"] == [], "the second user was given no tag"
    assert api.create(**MINIMAL)[1]["tags"] == [], "a later user starts without tags"
