import hashlib
import hmac
import io
import json
from wsgiref.util import setup_testing_defaults

import pytest
import signatures
from app import create_app
from keys import Key
from ledger import Ledger, Payment
from signatures import BadSignature, Replayed, Verifier

OLD, NEW, FOREIGN = b"old secret", b"new secret", b"foreign secret"
NOW = 1_715_940_000
BODY = b'{"order": "A-7", "cents": 1250}'


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def verifier(clock):
    return Verifier([Key(OLD), Key(NEW)], tolerance=100, clock=clock)


def sign(secret, body=BODY, t=NOW):
    return hmac.new(secret, f"{t}.".encode() + body, hashlib.sha256).hexdigest()


def header(*secrets, body=BODY, t=NOW):
    return ",".join([f"t={t}", *(f"v1={sign(secret, body, t)}" for secret in secrets)])


def outcome(verifier, text, body=BODY):
    try:
        assert verifier.verify(text, body) is None
    except BadSignature:
        return "bad"
    except Replayed:
        return "replayed"
    return "accepted"


# Signatures


def test_a_message_signed_with_one_of_the_keys_is_accepted(verifier):
    assert outcome(verifier, header(OLD)) == "accepted"
    assert outcome(verifier, header(NEW, t=NOW + 1)) == "accepted"


def test_a_message_signed_with_another_key_is_refused(verifier):
    assert outcome(verifier, header(FOREIGN)) == "bad"


@pytest.mark.parametrize("secrets", [(OLD, FOREIGN), (FOREIGN, OLD), (FOREIGN, NEW, FOREIGN)])
def test_one_right_signature_of_several_is_enough(verifier, secrets):
    assert outcome(verifier, header(*secrets)) == "accepted"


def test_the_items_may_come_in_any_order_and_unknown_ones_are_ignored(verifier):
    text = f"v0=abc,v1={sign(NEW)},kid=ab,t={NOW}"
    assert outcome(verifier, text) == "accepted"


def test_a_changed_body_or_time_is_refused(verifier):
    assert outcome(verifier, header(NEW), BODY + b" ") == "bad"
    assert outcome(verifier, f"t={NOW + 1},v1={sign(NEW)}") == "bad"
    assert outcome(verifier, header(NEW)) == "accepted"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"a\r\nb\r\n", '{"order": "ä"}'.encode("latin-1")])
def test_the_body_is_signed_byte_for_byte(verifier, body):
    assert outcome(verifier, header(NEW, body=body), body) == "accepted"
    assert outcome(verifier, header(NEW, body=b"\xff"), b"\xfe") == "bad"


def test_a_header_of_another_form_is_a_bad_signature(verifier):
    right = sign(NEW)
    for text in (
        None,
        "",
        ",",
        "t",
        f"t={NOW}",
        f"t={NOW},v1=",
        f"v1={right}",
        f"t=,v1={right}",
        f"t={NOW},t={NOW},v1={right}",
        f"t=+{NOW},v1={sign(NEW, t=f'+{NOW}')}",
        f"t={NOW}.0,v1={sign(NEW, t=f'{NOW}.0')}",
        f"t=1_715_940_000,v1={sign(NEW, t='1_715_940_000')}",
        f"t={NOW},v2={right}",
    ):
        assert outcome(verifier, text) == "bad", text


def test_characters_beyond_ascii_are_no_reason_to_crash(verifier):
    arabic = "".join(chr(0x660 + int(digit)) for digit in str(NOW))
    for text in (f"t={NOW},v1=é", "é", f"t={NOW},v1=\x00\udcff", f"t={arabic},v1={sign(NEW)}", f"t=é,v1={sign(NEW)}"):
        assert outcome(verifier, text) == "bad", ascii(text)


def test_signatures_are_compared_by_compare_digest(verifier, monkeypatch):
    compared = []
    genuine = hmac.compare_digest

    def recording(first, second):
        compared.append((first, second))
        return genuine(first, second)

    for module in (hmac, signatures):
        if hasattr(module, "compare_digest"):
            monkeypatch.setattr(module, "compare_digest", recording)
    outcome(verifier, header(NEW))
    assert compared, "compare_digest was not called"


# Keys


def test_a_key_is_in_use_until_it_is_retired(clock):
    verifier = Verifier([Key(OLD, retired_at=NOW + 10), Key(NEW)], tolerance=100, clock=clock)
    clock.now = NOW + 9.5
    assert outcome(verifier, header(OLD)) == "accepted"
    clock.now = NOW + 10
    assert outcome(verifier, header(OLD, t=NOW + 1)) == "bad"
    assert outcome(verifier, header(OLD, NEW, t=NOW + 1)) == "accepted"


# Time


@pytest.mark.parametrize(("age", "expected"), [(100, "accepted"), (101, "bad"), (-100, "accepted"), (-101, "bad")])
def test_times_may_differ_by_the_tolerance_in_either_direction(clock, verifier, age, expected):
    clock.now = NOW + age
    assert outcome(verifier, header(NEW)) == expected


def test_fractions_of_a_second_count(clock, verifier):
    clock.now = NOW + 100.5
    assert outcome(verifier, header(NEW)) == "bad"


# Replays


def test_a_message_is_accepted_once(clock, verifier):
    assert outcome(verifier, header(NEW)) == "accepted"
    clock.now += 60
    assert outcome(verifier, header(NEW)) == "replayed"
    assert outcome(verifier, header(NEW)) == "replayed"


def test_a_replay_is_recognised_whatever_the_rest_of_the_header(verifier):
    assert outcome(verifier, header(OLD, NEW)) == "accepted"
    for text in (header(NEW), header(OLD), header(NEW, OLD), "x=1," + header(FOREIGN, NEW)):
        assert outcome(verifier, text) == "replayed"


def test_the_same_body_at_another_time_is_another_message(verifier):
    assert outcome(verifier, header(NEW)) == "accepted"
    assert outcome(verifier, header(NEW, t=NOW - 1)) == "accepted"
    assert outcome(verifier, header(NEW, body=b"{}"), b"{}") == "accepted"


def test_a_forgery_does_not_block_the_genuine_message(verifier):
    assert outcome(verifier, header(FOREIGN)) == "bad"
    assert verifier.remembered() == 0
    assert outcome(verifier, header(NEW)) == "accepted"


def test_a_replay_with_a_bad_signature_is_a_bad_signature(verifier):
    assert outcome(verifier, header(NEW)) == "accepted"
    assert outcome(verifier, header(FOREIGN)) == "bad"


def test_a_message_from_the_near_future_is_remembered_as_long_as_it_is_fresh(clock, verifier):
    assert outcome(verifier, header(NEW, t=NOW + 90)) == "accepted"
    clock.now = NOW + 190
    assert outcome(verifier, header(NEW, t=NOW + 90)) == "replayed"
    clock.now = NOW + 191
    assert outcome(verifier, header(NEW, t=NOW + 90)) == "bad"


def test_messages_that_are_no_longer_fresh_are_forgotten_by_any_call(clock, verifier):
    for age in range(10):
        assert outcome(verifier, header(NEW, t=NOW - age)) == "accepted"
    assert verifier.remembered() == 10
    clock.now = NOW + 95
    assert outcome(verifier, None) == "bad"
    assert verifier.remembered() == 6, "those sent at most 100 s ago"
    clock.now = NOW + 100
    assert outcome(verifier, header(NEW)) == "replayed"
    assert verifier.remembered() == 1


# The application


class Client:
    def __init__(self, verifier):
        self.ledger = Ledger()
        self.app = create_app(self.ledger, verifier)

    def send(self, path="/hooks/ferrypay", method="POST", body=b"", signature=None):
        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_LENGTH": str(len(body))}
        setup_testing_defaults(environ)
        environ["wsgi.input"] = io.BytesIO(body)
        if signature is not None:
            environ["HTTP_FERRYPAY_SIGNATURE"] = signature
        statuses = []
        chunks = self.app(environ, lambda status, headers, exc_info=None: statuses.append(status))
        body = json.loads(b"".join(chunks))
        return int(statuses[0].split()[0]), body


def test_a_genuine_message_is_booked_once(verifier):
    client = Client(verifier)
    assert client.send(body=BODY, signature=header(NEW)) == (200, {"status": "booked"})
    assert client.send(body=BODY, signature=header(NEW)) == (409, {"error": "already received"})
    assert client.ledger.payments == [Payment("A-7", 1250)]
    assert client.send("/orders/A-7/balance", "GET") == (200, {"order": "A-7", "cents": 1250})


def test_messages_that_are_not_verified_get_401_and_book_nothing(verifier):
    client = Client(verifier)
    for body in (BODY, b"not JSON"):
        for signature in (None, header(FOREIGN, body=body), header(NEW, body=body, t=NOW - 500)):
            assert client.send(body=body, signature=signature) == (401, {"error": "invalid signature"})
    assert client.ledger.payments == []


def test_a_genuine_message_that_is_malformed_gets_400_and_counts_as_accepted(verifier):
    client = Client(verifier)
    body = b'\xff{"order": 1}'
    assert client.send(body=body, signature=header(NEW, body=body)) == (400, {"error": "malformed message"})
    assert client.send(body=body, signature=header(NEW, body=body)) == (409, {"error": "already received"})
