import hmac
import io
import json
import secrets
from wsgiref.util import setup_testing_defaults

import app as app_module
import auth
import pytest
from app import create_app
from auth import Authenticator
from passwords import PasswordHasher
from sessions import SessionStore
from users import User, UserDirectory

ITERATIONS = 300


class RecordingHasher(PasswordHasher):
    """Remembers the number of iterations of each derivation."""

    def __init__(self):
        super().__init__(ITERATIONS)
        self.derivations = []

    def derive(self, password, salt, iterations):
        self.derivations.append(iterations)
        return super().derive(password, salt, iterations)


@pytest.fixture
def hasher():
    return RecordingHasher()


@pytest.fixture
def users(hasher):
    directory = UserDirectory()
    directory.add(User("Alice", hasher.hash("correct horse")))
    directory.add(User("Bob", hasher.hash("pässwörd ✓")))
    directory.add(User("Mallory", hasher.hash("let me in"), disabled=True))
    directory.add(User("Veteran", PasswordHasher(40).hash("old secret")))
    return directory


@pytest.fixture
def comparisons(monkeypatch):
    """The pairs compared by compare_digest, wherever the program imported it from."""
    pairs = []
    genuine = hmac.compare_digest

    def recording(first, second):
        pairs.append((first, second))
        return genuine(first, second)

    for module in (hmac, secrets, auth, app_module):
        if hasattr(module, "compare_digest"):
            monkeypatch.setattr(module, "compare_digest", recording)
    return pairs


class Client:
    def __init__(self, application):
        self.application = application

    def send(self, method, path, body=b"", token=None):
        """Send one request and return status, headers and raw body."""
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": str(len(body))}
        setup_testing_defaults(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        if token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        answer = []
        chunks = self.application(environ, lambda status, headers, exc_info=None: answer.extend([status, headers]))
        body = b"".join(chunks)
        return int(answer[0].split()[0]), answer[1], body

    def login(self, name, password):
        return self.send("POST", "/login", json.dumps({"name": name, "password": password}).encode())


@pytest.fixture
def sessions():
    return SessionStore(lifetime=1800, clock=lambda: 5000.0)


@pytest.fixture
def client(users, sessions, hasher):
    return Client(create_app(users, sessions, hasher))


FAILURES = [
    pytest.param("Alice", "wrong", id="wrong password"),
    pytest.param("Nobody", "correct horse", id="unknown name"),
    pytest.param("Mallory", "let me in", id="disabled account"),
]


# Authenticator


def test_right_password_returns_the_user(users, hasher):
    authenticator = Authenticator(users, hasher)
    assert authenticator.authenticate("Alice", "correct horse") is users.find("Alice")
    assert authenticator.authenticate("Bob", "pässwörd ✓") is users.find("Bob")


def test_names_are_found_without_regard_to_case(users, hasher):
    assert Authenticator(users, hasher).authenticate("aLICE", "correct horse") is users.find("Alice")


def test_passwords_of_others_and_other_spellings_are_refused(users, hasher):
    authenticator = Authenticator(users, hasher)
    for password in ("pässwörd ✓", "Correct horse", "correct horse ", "correct", ""):
        assert authenticator.authenticate("Alice", password) is None, f"{password!r} is not the password"


def test_disabled_account_is_refused_with_any_password(users, hasher):
    authenticator = Authenticator(users, hasher)
    assert authenticator.authenticate("Mallory", "let me in") is None
    assert authenticator.authenticate("Mallory", "wrong") is None


def test_account_with_fewer_iterations_can_log_in(users, hasher):
    authenticator = Authenticator(users, hasher)
    user = authenticator.authenticate("Veteran", "old secret")
    assert user is users.find("Veteran"), "the stored hash says with how many iterations it was made"
    assert authenticator.authenticate("Veteran", "wrong") is None


@pytest.mark.parametrize(("name", "password"), [pytest.param("Alice", "correct horse", id="success"), *FAILURES])
def test_each_authentication_derives_once_and_compares_once(users, hasher, comparisons, name, password):
    authenticator = Authenticator(users, hasher)
    for _ in range(2):
        hasher.derivations.clear()
        comparisons.clear()
        authenticator.authenticate(name, password)
        assert hasher.derivations == [ITERATIONS], "expected one derivation with the configured iterations"
        assert len(comparisons) == 1, "expected one comparison by hmac.compare_digest"


# POST /login


def test_login_issues_a_token_that_opens_the_session(client):
    status, _, body = client.login("Alice", "correct horse")
    assert status == 200
    answer = json.loads(body)
    assert set(answer) == {"token", "expires_in"}
    assert answer["expires_in"] == 1800, "expires_in is the lifetime of the session store"
    status, _, body = client.send("GET", "/me", token=answer["token"])
    assert (status, json.loads(body)) == (200, {"name": "Alice"})


def test_session_has_the_registered_spelling_of_the_name(client):
    token = json.loads(client.login("ALICE", "correct horse")[2])["token"]
    _, _, body = client.send("GET", "/me", token=token)
    assert json.loads(body) == {"name": "Alice"}


def test_each_login_gets_its_own_token(client, sessions):
    tokens = {json.loads(client.login("Alice", "correct horse")[2])["token"] for _ in range(3)}
    assert len(tokens) == 3
    assert len(sessions) == 3


@pytest.mark.parametrize(("name", "password"), FAILURES)
def test_failed_login_gets_401_and_no_session(client, sessions, name, password):
    status, _, body = client.login(name, password)
    assert status == 401
    assert json.loads(body) == {"error": "invalid credentials"}
    assert len(sessions) == 0, "a failed login must not open a session"


def test_failed_logins_cannot_be_told_apart(client):
    expected = client.login("Alice", "wrong")
    for name, password in [
        ("Nobody", "wrong"),
        ("", "wrong"),
        ("a-rather-long-name-that-nobody-has", "correct horse"),
        ("Alice", ""),
        ("Mallory", "let me in"),
        ("Mallory", "wrong"),
    ]:
        answer = client.login(name, password)
        assert answer == expected, f"login as {name!r} with {password!r} is answered differently"


@pytest.mark.parametrize(("name", "password"), FAILURES)
def test_failed_login_requests_do_the_same_work(client, hasher, comparisons, name, password):
    hasher.derivations.clear()
    client.login(name, password)
    assert hasher.derivations == [ITERATIONS]
    assert len(comparisons) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b'["Alice", "correct horse"]', b'{"name": "Alice"}', b'{"name": "Alice", "password": 5}'],
    ids=["empty", "array", "no password", "number"],
)
def test_malformed_login_gets_400(client, sessions, body):
    status, _, answer = client.send("POST", "/login", body)
    assert status == 400
    assert json.loads(answer) == {"error": "bad request"}
    assert len(sessions) == 0


def test_login_answers_must_not_be_cached(client):
    for password in ("correct horse", "wrong"):
        status, headers, _ = client.login("Alice", password)
        values = [value for name, value in headers if name.lower() == "cache-control"]
        assert values == ["no-store"], f"status {status}"


def test_new_account_can_log_in(client):
    body = json.dumps({"name": "Zoe", "password": "brand new"}).encode()
    assert client.send("POST", "/accounts", body)[0] == 201
    assert client.login("Zoe", "brand new")[0] == 200
    assert client.login("Zoe", "correct horse")[0] == 401
