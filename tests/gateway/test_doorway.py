"""A listening socket that is handed over is answered as the gateway's own port, for as long as the doorway is open."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from http.client import HTTPConnection

import pytest

from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.errors import AgentUnavailable
from pytest_hybrideval.gateway import Gateway
from pytest_hybrideval.testing import ScriptedBackend, ScriptedStrategy, make_sampling, make_trial


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A running gateway."""
    found = Gateway(lambda ref, tier: ScriptedBackend())
    found.start()
    yield found
    found.stop()


def hand_over(descriptor: int) -> int:
    """Send a new listening socket there, and close it here; its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    with listening, socket.socket(fileno=os.dup(descriptor)) as outwards:
        socket.send_fds(outwards, [b"."], [listening.fileno()])
        port: int = listening.getsockname()[1]
        return port


def healthy(port: int) -> bool:
    """Whether the gateway answers at that port."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except ConnectionRefusedError:
        return False
    finally:
        connection.close()


def test_it_is_answered_until_the_doorway_closes(gateway: Gateway) -> None:
    with gateway.doorway(gateway.base_url) as descriptor:
        port = hand_over(descriptor)
        assert healthy(port)
    assert not healthy(port)


def test_a_doorway_may_stay_unused(gateway: Gateway) -> None:
    with gateway.doorway(gateway.base_url):
        pass
    with gateway.doorway(gateway.base_url) as descriptor:
        port = hand_over(descriptor)  # and is closed before it is asked anything
    assert not healthy(port)


def test_each_has_its_own(gateway: Gateway) -> None:
    with gateway.doorway(gateway.base_url) as one:
        with gateway.doorway(gateway.base_url) as other:
            ports = hand_over(one), hand_over(other)
            assert [healthy(port) for port in ports] == [True, True]
        assert [healthy(port) for port in ports] == [True, False]


def test_another_address_is_refused(gateway: Gateway) -> None:
    with pytest.raises(AgentUnavailable, match="no other address"), gateway.doorway("http://127.0.0.1:9/v1"):
        pass


def test_a_session_has_it(gateway: Gateway) -> None:
    session = gateway.open(make_trial(), ScriptedStrategy(), dict.fromkeys(Tier, make_sampling()))
    assert session.doorway is not None
    with session.doorway(session.base_url) as descriptor:
        assert healthy(hand_over(descriptor))
