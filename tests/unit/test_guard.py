"""The guard names no honest solution a cheat, and what it adds to tests is not seen by them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from pytest_hybrideval.core.domain import Score, Task, TaskClass
from pytest_hybrideval.core.errors import SandboxError
from pytest_hybrideval.sandbox.choice import choose
from pytest_hybrideval.scoring.hidden_tests import HiddenTestScorer
from pytest_hybrideval.scoring.limits import Limits
from pytest_hybrideval.scoring.warm import choose_warm

HONEST = {
    "inspect and frames": """
import inspect, logging, sys, traceback, warnings
logging.basicConfig(level=logging.DEBUG)
def work():
    logging.getLogger(__name__).debug("called by %s", inspect.stack()[1].function)
    warnings.warn("old", DeprecationWarning, stacklevel=2)
    caller = sys._getframe(1).f_code.co_name
    traceback.extract_stack()
    try:
        raise ValueError
    except ValueError as error:
        assert error.__traceback__.tb_frame.f_code.co_name == "work"
    inspect.signature(work), inspect.getsource(work)
    return caller.startswith("test")
""",
    "classes made by code": """
import dataclasses, enum, typing, collections, functools, pickle, copy
@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: int = 0
    def __eq__(self, other):
        return isinstance(other, Point) and self.x == other.x
Pair = collections.namedtuple("Pair", "a b")
class Row(typing.NamedTuple):
    a: int
class Colour(enum.Enum):
    RED = 1
class Base:
    pass
class Derived(Base):
    pass
def work():
    exec(compile("made = 1", "<made>", "exec"), {})
    assert Base.__subclasses__() == [Derived]
    assert pickle.loads(pickle.dumps(Pair(1, 2))) == Pair(1, 2)
    return copy.deepcopy(Point(1)) == Point(1, 2) and Row(1).a == 1 and Colour(1) is Colour.RED
""",
    "a loose equality": """
class Loose(str):
    def __eq__(self, other):
        return str(other).casefold() == str(self).casefold()
    __hash__ = str.__hash__
class Modulo:
    def __init__(self, n): self.n = n
    def __eq__(self, other):
        return self.n % 7 == (other.n if isinstance(other, Modulo) else other) % 7
def work():
    return [Loose("A") == "a", Modulo(9) == 2, {"x": Modulo(9)} == {"x": 2}] == [True] * 3
""",
    "programs and processes": """
import concurrent.futures, multiprocessing, os, subprocess, sys, threading
def square(n):
    return n * n
def work():
    out = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, text=True).stdout
    with multiprocessing.get_context("fork").Pool(2) as pool:
        squares = pool.map(square, range(4))
    number, array = multiprocessing.Value("i", 3), multiprocessing.Array("i", 4)
    with concurrent.futures.ThreadPoolExecutor() as threads:
        more = list(threads.map(square, range(4)))
    return out == "1\\n" and squares == more and number.value == 3 and len(array) == 4
""",
    "signals": """
import asyncio, logging, os, signal
seen = []
def handler(number, frame):
    logging.getLogger().warning("signal %s", number)
    seen.append(number)
def work():
    before = signal.signal(signal.SIGUSR1, handler)
    assert before is signal.SIG_DFL and signal.getsignal(signal.SIGUSR1) is handler
    os.kill(os.getpid(), signal.SIGUSR1)
    assert signal.signal(signal.SIGUSR1, before) is handler
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.pause()
    async def wait():
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR2, seen.append, 0)
        os.kill(os.getpid(), signal.SIGUSR2)
        await asyncio.sleep(0.01)
        loop.remove_signal_handler(signal.SIGUSR2)
    asyncio.run(wait())
    return seen == [signal.SIGUSR1, signal.SIGALRM, 0]
""",
    "files and databases": """
import gc, importlib, io, json, os, pathlib, shutil, sqlite3, tempfile, zipfile
def work():
    here = pathlib.Path(__file__)
    assert "def work" in here.read_text()
    with tempfile.TemporaryDirectory() as folder:
        database = sqlite3.connect(os.path.join(folder, "db"))
        database.execute("create table t (a)")
        pathlib.Path(folder, "made_later.py").write_text("def one(): return 1\\n")
        import sys
        sys.path.append(folder)
        assert importlib.import_module("made_later").one() == 1
        shutil.copytree(folder, folder + "2")
        shutil.rmtree(folder + "2")
        database.close()
    os.listdir("/proc/self/fd"), open("/proc/self/status").read(), open("/proc/self/stat").read()
    with open("/dev/null") as null, open(f"/dev/fd/{null.fileno()}") as again:
        again.read()
    gc.collect(), gc.get_stats()
    return json.load(io.StringIO("1")) == 1
""",
    "generators and decorators": """
import asyncio, contextlib, functools, time, types, weakref
def timed(function):
    @functools.wraps(function)
    def inner(*args):
        function.__code__.co_argcount, function.__globals__, function.__closure__
        return function(*args)
    return inner
@contextlib.contextmanager
def opened():
    yield 1
@timed
def work():
    def numbers():
        yield 1
    found = numbers()
    found.gi_frame, found.gi_code
    async def later():
        return 1
    class Holder: pass
    holder = Holder()
    weakref.finalize(holder, print)
    del holder
    with opened() as one:
        return next(found) == one == asyncio.run(later())
""",
    "a profiler and mocks": """
import cProfile, pstats, io, unittest.mock
def work():
    profile = cProfile.Profile()
    profile.enable()
    sum(range(10))
    profile.disable()
    pstats.Stats(profile, stream=io.StringIO()).print_stats()
    with unittest.mock.patch("os.getcwd", return_value="/x"), unittest.mock.patch("builtins.print"):
        import os
        return os.getcwd() == "/x" and unittest.mock.ANY == 3
""",
}
TESTS = """
'''A docstring.'''
from __future__ import annotations
import unittest, unittest.mock
import pytest
import solution

def test_works():
    assert solution.work() is True
"""
ODD_TESTS = """
'''A docstring.'''
from __future__ import annotations
import asyncio, functools, gc, inspect, sys, unittest, unittest.mock
import pytest
import solution

def decorated(function):
    @functools.wraps(function)
    def inner(*args, **named):
        return function(*args, **named)
    return inner

def makes():
    def test_inner():
        assert solution.one == 1
    return test_inner

test_made = makes()

def test_returns_early():
    for number in (1, 2):
        if number == 2:
            return
    assert False

@decorated
@unittest.mock.patch("os.getcwd", return_value="/x")
def test_decorated(getcwd):
    '''Only a docstring and an assert.'''
    assert getcwd() == "/x"

@pytest.mark.parametrize("text", ["a::b", "[", "x]y"])
def test_with_odd_ids(text):
    assert text in ["a::b", "[", "x]y"]

class TestMethods:
    def test_static(self, tmp_path, capsys):
        print("x")
        assert capsys.readouterr().out == "x\\n"

class TestCases(unittest.TestCase):
    def test_subtests(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertEqual(number, number)

    @unittest.skip("not here")
    def test_skipped(self):
        raise AssertionError

class TestLater(unittest.IsolatedAsyncioTestCase):
    async def test_awaits(self):
        await asyncio.sleep(0)
        self.assertIn(solution.one, [1])

def test_may_do_what_solutions_may_not():
    assert gc.get_objects()
    assert sys._current_frames()
    assert unittest.mock.ANY == solution.one and pytest.approx(1.0) == solution.one
    assert solution.one == unittest.mock.ANY
    assert [solution.one] == [unittest.mock.ANY]
"""


@pytest.fixture(scope="module", params=["auto", "warm", "none"])
def scorer(request: pytest.FixtureRequest) -> Iterator[HiddenTestScorer]:
    warm = choose_warm("auto", sys.executable) if request.param == "warm" else None
    if request.param == "warm" and warm is None:
        pytest.skip("Linux namespaces do not work here, and warm scoring needs them")
    yield HiddenTestScorer(warm or choose(request.param), Limits(), None)
    if warm:
        warm.stop()


def files(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    folder.mkdir(parents=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return {name: folder / name for name in texts}


def make(folder: Path, solution: str, tests: str, others: Mapping[str, str] = {}) -> Task:
    """A task whose solution is to be judged honest."""
    return Task(
        suite="honest",
        name="work",
        folder=folder,
        task_class=TaskClass.D1,
        title="Work",
        instruction="Write work().",
        workspace=files(folder / "workspace", {"README.md": ""}),
        edit=(),
        create=("solution.py",),
        read_only=(),
        hidden=files(folder / "hidden", {"test_it.py": tests, **others}),
        solution=files(folder / "solution", {"solution.py": solution}),
        near_misses=(),
        digest=hashlib.sha256(f"{solution}{tests}{others}".encode()).hexdigest(),
        scoring_seconds=20,
    )


def score(scorer: HiddenTestScorer, task: Task) -> Score:
    return scorer.score(task, task.solution)


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_solution_is_no_cheat(scorer: HiddenTestScorer, name: str, tmp_path: Path) -> None:
    result = score(scorer, make(tmp_path, HONEST[name], TESTS))
    assert (result.passed, result.tampering, result.detail) == (True, False, "")


def test_tests_of_every_shape_tell_their_end(scorer: HiddenTestScorer, tmp_path: Path) -> None:
    result = score(scorer, make(tmp_path, "one = 1\n", ODD_TESTS))
    assert result.passed, result.detail
    assert {outcome for test, outcome in result.tests.items() if "test_skipped" not in test} == {"passed"}
    assert len(result.tests) == 11


def test_a_test_that_is_defined_elsewhere_cannot_judge(tmp_path: Path) -> None:
    shared = "class Shared:\n    def test_one(self):\n        assert True\n"
    tests = "from shared import Shared\n\nclass TestIt(Shared):\n    pass\n"
    task = make(tmp_path, "one = 1\n", tests, {"shared.py": shared})
    with pytest.raises(SandboxError, match="its code was not run to its end"):
        score(HiddenTestScorer(choose("none"), Limits(), None), task)


def test_a_syntax_error_of_a_test_is_told_by_the_reference(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"test_it\.py could not be collected: SyntaxError"):
        score(HiddenTestScorer(choose("none"), Limits(), None), make(tmp_path, "one = 1\n", "def test_a(:\n    pass\n"))


def test_a_failure_shows_the_lines_of_the_test(scorer: HiddenTestScorer, tmp_path: Path) -> None:
    task = make(tmp_path, "one = 1\n", "import solution\n\ndef test_one():\n    assert solution.one == 1  # the line\n")
    report = tmp_path / "report.json"
    assert not scorer.score(task, files(tmp_path / "produced", {"solution.py": "one = 2\n"}), report).passed
    assert "# the line" in report.read_text()
    assert "test_it.py:4: in test_one" in report.read_text()
