"""Calls of one model at a time: never more than its slots, over sessions and processes, and the wait is told apart."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import stamina

from pytest_hybrideval.core.domain import Tier
from pytest_hybrideval.core.errors import BackendError
from pytest_hybrideval.gateway import Gateway, RouterSession, Slots
from pytest_hybrideval.testing import Pause, ScriptedBackend, ScriptedStrategy, make_sampling, make_trial

HOLDER = """
import asyncio, sys, time
from pathlib import Path
from pytest_hybrideval.gateway.slots import Slots

async def main():
    async with Slots("model", 1, Path(sys.argv[1])).hold():
        print("held", flush=True)
        time.sleep(60)

asyncio.run(main())
"""


def is_free(slots: Slots) -> bool:
    """Whether one of the slots can be had at once."""

    async def look() -> bool:
        async def hold() -> None:
            async with slots.hold():
                pass

        try:
            await asyncio.wait_for(hold(), 0.1)
        except asyncio.TimeoutError:
            return False
        return True

    return asyncio.run(look())


class TestSlots:
    def test_a_model_has_as_many_as_it_was_given(self, tmp_path: Path) -> None:
        async def scenario() -> list[bool]:
            slots, same = (Slots("model", 2, tmp_path) for _ in range(2))
            async with slots.hold():
                one_left = await asyncio.to_thread(is_free, same)
                async with same.hold():
                    none_left = await asyncio.to_thread(is_free, slots)
                return [one_left, none_left]

        assert asyncio.run(scenario()) == [True, False]
        assert is_free(Slots("model", 1, tmp_path))

    def test_models_do_not_wait_for_each_other(self, tmp_path: Path) -> None:
        async def scenario() -> bool:
            async with Slots("one", 1, tmp_path).hold():
                return await asyncio.to_thread(is_free, Slots("another", 1, tmp_path))

        assert asyncio.run(scenario())

    def test_a_process_that_is_killed_gives_its_slot_back(self, tmp_path: Path) -> None:
        command = [sys.executable, "-c", HOLDER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            assert not is_free(Slots("model", 1, tmp_path))
            holder.kill()
        assert is_free(Slots("model", 1, tmp_path))

    def test_the_folder_is_private(self, tmp_path: Path) -> None:
        assert is_free(Slots("model", 1, tmp_path / "slots"))
        assert (tmp_path / "slots").stat().st_mode & 0o077 == 0


class House:
    """A gateway whose models have one slot each."""

    def __init__(self, backend: ScriptedBackend, folder: Path) -> None:
        self.gateway = Gateway(lambda ref, tier: backend, 1, lambda ref, tier: Slots(str(ref), 1, folder))
        self.gateway.start()
        self.threads = ThreadPoolExecutor(4)

    def open(self) -> RouterSession:
        strategy = ScriptedStrategy(default=Tier.LOCAL)
        return self.gateway.open(make_trial(), strategy, dict.fromkeys(Tier, make_sampling()))

    def ask(self, session: RouterSession, stream: bool) -> Future[str]:
        body = {"messages": [{"role": "user", "content": "Hello."}], "stream": stream}

        def post() -> str:
            headers = {"Authorization": f"Bearer {session.key}"}
            with httpx.Client(trust_env=False, timeout=20) as client:
                return client.post(f"{session.base_url}/chat/completions", json=body, headers=headers).text

        return self.threads.submit(post)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[House, ScriptedBackend, Pause]]:
    """One gateway, and a backend whose first answer stands still in its middle."""
    pause = Pause()
    backend = ScriptedBackend(["first, ", pause, "at last"], default="second")
    made = House(backend, tmp_path)
    with stamina.set_testing(True, attempts=100, cap=True):
        yield made, backend, pause
    pause.release()
    made.threads.shutdown()
    made.gateway.stop()


@pytest.mark.parametrize("stream", [True, False])
def test_a_call_waits_until_the_answer_before_it_is_complete(
    house: tuple[House, ScriptedBackend, Pause], stream: bool
) -> None:
    made, backend, pause = house
    sessions = made.open(), made.open()
    first = made.ask(sessions[0], stream)
    pause.reached()
    second = made.ask(sessions[1], stream)
    while sessions[1].queued < 0.3:
        time.sleep(0.01)
    assert len(backend.calls) == 1
    pause.release()
    assert "at last" in first.result()
    assert "second" in second.result()
    (before,), (after,) = (session.ledger.calls for session in sessions)
    assert before.queued < 0.1
    assert after.queued >= 0.3
    assert after.seconds < 0.3
    assert abs(sessions[1].queued - after.queued) < 0.01


def test_a_slot_is_free_while_a_failed_call_waits_for_its_next_try(tmp_path: Path) -> None:
    busy = BackendError("busy", status=503, retryable=True)
    made = House(ScriptedBackend(busy, "at last"), tmp_path)
    try:
        session = made.open()
        with stamina.set_testing(True, attempts=100, cap=True):
            assert "at last" in made.ask(session, True).result()
        assert session.ledger.calls[0].attempts == 2
        assert is_free(Slots("ollama/local-model", 1, tmp_path))
    finally:
        made.threads.shutdown()
        made.gateway.stop()


def test_who_hangs_up_in_the_queue_leaves_it(house: tuple[House, ScriptedBackend, Pause]) -> None:
    made, backend, pause = house
    first, second = made.open(), made.open()
    answer = made.ask(first, True)
    pause.reached()
    refused = made.ask(second, True)
    while second.queued < 0.1:
        time.sleep(0.01)
    made.gateway.close(second)
    with pytest.raises(httpx.HTTPError):
        refused.result()
    assert second.ledger.calls[0].attempts == 0
    pause.release()
    assert "at last" in answer.result()
    assert len(backend.calls) == 1
