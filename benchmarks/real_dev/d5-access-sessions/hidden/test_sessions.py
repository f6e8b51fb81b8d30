import contextlib
import csv
import gzip
import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from sessions import main

TOOL = Path(__file__).resolve().parent / "sessions.py"
HEADER = ["start", "end", "seconds", "address", "agent", "requests", "bytes"]


class Output(io.BytesIO):
    """Stays readable when a wrapper around it is thrown away."""

    def close(self):
        pass


def run_command(data, *args, cwd=None, **changes):
    data = data.encode("utf-8") if isinstance(data, str) else data
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONUTF8", "PYTHONIOENCODING")}
    command = [sys.executable, "-S", str(TOOL), *map(str, args)]
    return subprocess.run(command, input=data, capture_output=True, timeout=20, cwd=cwd, env={**env, **changes})


def run(cwd, *args):
    """Call main with the arguments in the folder `cwd`."""
    out, err = (io.TextIOWrapper(Output(), encoding="utf-8", write_through=True) for _ in range(2))
    before = os.getcwd()
    os.chdir(cwd)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(map(str, args)))
    except SystemExit as stop:
        code = stop.code
    finally:
        os.chdir(before)
    return subprocess.CompletedProcess(args, code, out.buffer.getvalue(), err.buffer.getvalue())


def run_on(data, *args):
    """Call main with a file of the given content as the last argument."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "input").write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        return run(folder, *args, "input")


def table(result, code=0):
    assert result.returncode == code, f"exit code {result.returncode}, stderr: {result.stderr.decode()}"
    header, *rows = csv.reader(io.StringIO(result.stdout.decode("utf-8"), newline=""), strict=True)
    assert header == HEADER
    return rows


def sessions(data, *args):
    return clean_table(run_on(data, *args))


def clean_table(result):
    rows = table(result)
    assert result.stderr == b"", "nothing belongs on standard error"
    return rows


def brief(rows):
    """Return time of day of start and end, and the number of requests of each row."""
    return [(row[0][11:19], row[1][11:19], int(row[5])) for row in rows]


class Log:
    """Builds lines with ids of their own."""

    def __init__(self):
        self.count = 0

    def __call__(self, time, address="10.0.0.1", size="1", agent="A", request="GET / HTTP/1.1", id=None):
        self.count += 1
        time = time if "T" in time else f"2024-05-17T{time}Z"
        return f'{time} {address} {id or f"r{self.count}"} 200 {size} "{request}" "{agent}"\n'


@pytest.fixture
def log():
    return Log()


def test_a_session_is_described_in_full(log):
    text = log("09:00:05", size="100") + log("09:10:00", size="-") + log("09:20:06", size="23")
    expected = ["2024-05-17T09:00:05Z", "2024-05-17T09:20:06Z", "1201", "10.0.0.1", "A", "3", "123"]
    assert sessions(text) == [expected]


def test_a_session_ends_after_more_than_the_gap(log):
    text = log("09:00:00") + log("09:30:00") + log("10:00:01") + log("10:00:02")
    assert brief(sessions(text)) == [("09:00:00", "09:30:00", 2), ("10:00:01", "10:00:02", 2)]


def test_a_session_may_be_longer_than_the_gap(log):
    text = "".join(log(f"{hour:02}:{minute}:00") for hour in range(9, 12) for minute in (10, 30, 50))
    assert brief(sessions(text)) == [("09:10:00", "11:50:00", 9)]


@pytest.mark.parametrize(("gap", "expected"), [(10, [2, 2]), (9, [1, 1, 2]), (11, [4]), (0, [1, 1, 2])])
def test_the_gap_can_be_given(log, gap, expected):
    text = log("09:00:00") + log("09:00:10") + log("09:00:21") + log("09:00:21")
    assert [count for _, _, count in brief(sessions(text, "--gap", gap))] == expected


def test_clients_are_told_apart_by_address_and_agent(log):
    text = log("09:00:00", address="a", agent="X") + log("09:00:01", address="a", agent="Y")
    text += log("09:00:02", address="b", agent="X") + log("09:00:03", address="a", agent="X")
    assert [row[3:6] for row in sessions(text)] == [["a", "X", "2"], ["a", "Y", "1"], ["b", "X", "1"]]


def test_address_and_agent_do_not_run_together(log):
    text = log("09:00:00", address="a", agent="b c") + log("09:00:01", address="ab", agent=" c")
    assert [row[3:5] for row in sessions(text)] == [["a", "b c"], ["ab", " c"]]


def test_lines_may_be_out_of_order(log):
    text = log("09:40:00") + log("09:00:00", size="7") + log("09:20:00") + log("12:00:00") + log("11:59:00")
    assert brief(sessions(text)) == [("09:00:00", "09:40:00", 3), ("11:59:00", "12:00:00", 2)]


def test_files_are_one_log_in_any_order(tmp_path, log):
    (tmp_path / "new").write_text(log("09:50:00") + log("09:30:00"))
    (tmp_path / "old one").write_text(log("09:10:00") + log("09:45:00").rstrip("\n"))
    expected = [("09:10:00", "09:50:00", 4)]
    assert brief(clean_table(run(tmp_path, "new", "old one"))) == expected
    assert brief(clean_table(run(tmp_path, "old one", "new"))) == expected


def test_standard_input_can_be_one_of_the_files(tmp_path, log):
    (tmp_path / "a").write_text(log("09:00:00"))
    assert brief(clean_table(run_command(log("09:10:00"), "a", "-", cwd=tmp_path))) == [("09:00:00", "09:10:00", 2)]


def test_offsets_are_taken_into_account(log):
    text = log("2024-05-17T11:00:00+02:00") + log("2024-05-17T04:10:00-05:00") + log("2024-05-17T14:50:00+05:30")
    assert brief(sessions(text)) == [("09:00:00", "09:20:00", 3)]


def test_sessions_go_past_midnight_and_offsets_past_new_year(log):
    text = log("2023-12-31T20:00:00-04:30") + log("2024-01-01T00:00:00Z") + log("2024-02-28T23:50:00Z")
    text += log("2024-02-29T00:10:00Z")
    assert [row[:3] for row in sessions(text)] == [
        ["2024-01-01T00:00:00Z", "2024-01-01T00:30:00Z", "1800"],
        ["2024-02-28T23:50:00Z", "2024-02-29T00:10:00Z", "1200"],
    ]


def test_requests_with_the_same_id_count_once(tmp_path, log):
    shared = log("09:10:00", size="50", id="same")
    (tmp_path / "a").write_text(log("09:00:00") + shared + shared)
    (tmp_path / "b").write_text(shared + log("09:20:00"))
    rows = clean_table(run(tmp_path, "a", "b"))
    assert [(row[5], row[6]) for row in rows] == [("3", "52")]


def test_equal_requests_with_different_ids_count_each(log):
    assert brief(sessions(log("09:00:00") + log("09:00:00"))) == [("09:00:00", "09:00:00", 2)]


def test_rows_are_in_order_of_start_address_and_agent(log):
    clients = [("b", "A"), ("a", "é"), ("a", "z"), ("a", "B"), ("10", "x"), ("9", "x")]
    text = "".join(log("09:00:00", address=address, agent=agent) for address, agent in clients)
    text += log("08:00:00", address="z") + log("2024-05-17T10:30:00+02:00", address="y")
    expected = [["z", "A"], ["y", "A"], ["10", "x"], ["9", "x"], ["a", "B"], ["a", "z"], ["a", "é"], ["b", "A"]]
    assert [row[3:5] for row in sessions(text)] == expected


def test_escapes_in_the_agent_are_turned_back(log):
    agents = {r"say \"x\", then": 'say "x", then', r"back\\slash\\": "back\\slash\\", r"\\\"n": '\\"n', "": ""}
    text = "".join(log(f"09:00:0{number}", agent=agent) for number, agent in enumerate(agents))
    assert [row[4] for row in sessions(text)] == list(agents.values())


def test_requests_may_contain_anything(log):
    requests = ["", r"GET /\"a\" HTTP/1.1", r"\\", r"x\" \"y", "ä   b", "a\tb\x0cc\u2028d"]
    text = "".join(log("09:00:00", request=request, agent=request) for request in requests)
    assert sum(int(row[5]) for row in sessions(text)) == len(requests)


@pytest.mark.parametrize("name", ["web.log.gz", "web.log"])
def test_compressed_files_are_known_by_their_content(tmp_path, log, name):
    data = gzip.compress(log("09:00:00").encode()) + gzip.compress((log("09:10:00") + log("09:20:00")).encode())
    (tmp_path / name).write_bytes(data)
    (tmp_path / "plain.gz").write_text(log("09:30:00"))
    assert brief(clean_table(run(tmp_path, name, "plain.gz"))) == [("09:00:00", "09:30:00", 4)]


def test_standard_input_may_be_compressed(log):
    assert brief(clean_table(run_command(gzip.compress(log("09:00:00").encode())))) == [("09:00:00", "09:00:00", 1)]


def test_bytes_that_are_not_utf8_are_replaced_and_output_is_utf8_in_every_locale(log):
    data = log("09:00:00", agent="Å@").encode().replace(b"@", b"\xff")
    result = run_command(data, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert [row[4] for row in table(result)] == ["Å\ufffd"]
    assert result.stdout.count(b"\n") == 2
    assert b"\r" not in result.stdout


def test_without_requests_only_the_header_is_printed(log):
    result = run_on("")
    assert (result.returncode, result.stdout) == (0, b"start,end,seconds,address,agent,requests,bytes\n")


GOOD = '2024-05-17T09:00:00Z 10.0.0.1 r1 200 5 "GET /" "A"'
BAD = {
    "form": [
        "",
        "hello",
        " " + GOOD,
        GOOD + " ",
        GOOD.replace(" r1", ""),
        GOOD.replace(" r1", "  r1"),
        GOOD.replace(' "A"', ""),
        GOOD.replace("200", "20x"),
        GOOD.replace(" 5 ", " -5 "),
        GOOD.replace('"A"', '"A'),
        GOOD.replace('"A"', '"A"B"'),
    ],
    "time": [
        GOOD.replace("Z", ""),
        GOOD.replace("T", " "),
        GOOD.replace("05-17", "02-30"),
        GOOD.replace("09:00:00", "24:00:01"),
        GOOD.replace("09:00:00", "9:00:00"),
    ],
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_lines_are_reported_and_left_out(log, kind):
    bad = BAD[kind]
    result = run_command("\n".join([GOOD, *bad, GOOD.replace("r1", "r2")]) + "\n")
    assert [row[5] for row in table(result, code=1)] == ["2"]
    message = result.stderr.decode() + "\n"
    for number in range(1, len(bad) + 3):
        found = any(f"-:{number}{end}" in message for end in (":", "\n", " ", ",", ";", ".", ")"))
        assert found == (2 <= number <= len(bad) + 1), f"line {number} of {bad}"


def test_bad_lines_are_numbered_in_each_file(tmp_path, log):
    (tmp_path / "a.log").write_text(log("09:00:00") + "x\n")
    (tmp_path / "b.log").write_bytes(gzip.compress(("x\n" + log("09:01:00") + log("09:02:00") + "y").encode()))
    result = run(tmp_path, "a.log", "b.log")
    assert brief(table(result, code=1)) == [("09:00:00", "09:02:00", 3)]
    for place in ("a.log:2", "b.log:1", "b.log:4"):
        assert place in result.stderr.decode()


def test_a_file_that_cannot_be_read_gives_exit_code_2(tmp_path, log):
    data = gzip.compress(log("09:00:00").encode() * 50)
    (tmp_path / "good").write_text(log("09:00:00"))
    (tmp_path / "cut off").write_bytes(data[:-12])
    (tmp_path / "damaged").write_bytes(data[:-8] + b"\0\0\0\0" + data[-4:])
    for name in ("missing", ".", "cut off", "damaged"):
        result = run(tmp_path, "good", name)
        assert (result.returncode, result.stdout) == (2, b""), name
        assert name in result.stderr.decode(), "the message should name the file"
        assert "Traceback" not in result.stderr.decode(), "a message is wanted, not a traceback"
