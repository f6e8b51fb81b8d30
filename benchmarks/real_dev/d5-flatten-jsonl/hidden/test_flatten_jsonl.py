import contextlib
import csv
import io
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from flatten_jsonl import main

TOOL = Path(__file__).resolve().parent / "flatten_jsonl.py"


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
    return list(csv.reader(io.StringIO(result.stdout.decode("utf-8"), newline=""), strict=True))


def flatten(data):
    result = run_on(data)
    rows = table(result)
    assert result.stderr == b"", "nothing belongs on standard error"
    return rows


def header(*records):
    return flatten("".join(json.dumps(record) + "\n" for record in records))[0]


def cells(text):
    """Return the cells of one record with the keys a, b, c and so on."""
    (_, row) = flatten(text + "\n")
    return row


def test_nested_keys_and_positions_make_the_column_names():
    text = '{"id": "7", "user": {"name": "Bo", "at": {"home": "x"}}, '
    text += '"lines": [{"sku": "A"}, {"sku": "B"}], "m": [["y"]]}\n'
    assert flatten(text) == [
        ["id", "lines[0].sku", "lines[1].sku", "m[0][0]", "user.at.home", "user.name"],
        ["7", "A", "B", "y", "x", "Bo"],
    ]


def test_the_header_has_the_columns_of_all_records():
    text = '{"b": "1"}\n{"a": "2", "c": "3"}\n{}\n{"b": "4", "c": "5"}\n'
    expected = [["a", "b", "c"], ["", "1", ""], ["2", "", "3"], ["", "", ""], ["", "4", "5"]]
    assert flatten(text) == expected


def test_the_header_does_not_depend_on_the_order_of_records_and_keys():
    records = [{"b": 1, "a": [1, 2]}, {"a": {"z": 1, "y": 2}}, {"c": "", "a": None}]
    expected = ["a", "a[0]", "a[1]", "a.y", "a.z", "b", "c"]
    assert header(*records) == expected
    assert header(*({key: record[key] for key in reversed(record)} for record in reversed(records))) == expected


def test_positions_are_in_order_as_numbers():
    assert header({"a": list(range(12))}) == [f"a[{index}]" for index in range(12)]
    assert header({"a": [{"x": 1}] * 11, "b": 1}) == [*(f"a[{index}].x" for index in range(11)), "b"]


def test_paths_are_compared_part_by_part():
    assert header({"a b": 1, "a": {"b": 1}, "a-": 1, "a!": 1}) == ["a.b", "a b", "a!", "a-"]
    assert header({"ab": {"c": 1}, "a": {"z": 1}, "a0": 1}) == ["a.z", "a0", "ab.c"]


def test_keys_are_in_order_by_code_points_before_they_are_escaped():
    assert header({"é": 1, "b": 1, "Z": 1, "_": 1, "10": 1, "9": 1, "😀": 1, "\uffee": 1}) == [
        "10",
        "9",
        "Z",
        "_",
        "b",
        "é",
        "\uffee",
        "😀",
    ]
    assert header({"a/": 1, "a.": 1, "aZ": 1, "a[": 1, "a-": 1}) == ["a-", "a\\.", "a/", "aZ", "a\\["]


def test_special_characters_in_keys_are_escaped():
    text = '{"a.b": "1", "a": {"b": "2"}, "c[0]": "3", "c": ["4"], "d\\\\": "5", "e]": "6", "": "7"}\n'
    assert flatten(text) == [
        ["", "a.b", "a\\.b", "c[0]", "c\\[0]", "d\\\\", "e]"],
        ["7", "2", "1", "4", "3", "5", "6"],
    ]


def test_an_empty_key_is_a_part_like_any_other():
    assert header({"a": {"": {"": 1}, "b": 1}, "b": [{"": 1}]}) == ["a..", "a.b", "b[0]."]


@pytest.mark.parametrize("numbers", [["12.50", "1e3", "-0.0", "0.10"], ["1E+400", "12345678901234567890", "-0", "0"]])
def test_numbers_stay_as_they_are_written(numbers):
    text = ", ".join(f'"{key}": {number}' for key, number in zip("abcdef", numbers))
    assert cells("{" + text + "}") == numbers


def test_truth_values_null_and_strings():
    text = '{"a": true, "b": false, "c": null, "d": "", "e": "null", "f": "  x ", "g": [null, true]}'
    assert cells(text) == ["true", "false", "", "", "null", "  x ", "", "true"]


def test_empty_lists_and_objects_are_cells():
    text = '{"a": [], "b": {}, "c": [[], {}], "d": {"e": []}}\n'
    expected = [["a", "b", "c[0]", "c[1]", "d.e"], ["[]", "{}", "[]", "{}", "[]"]]
    assert flatten(text) == expected


def test_commas_quotes_and_line_ends_in_values_survive():
    values = ["a,b", 'say "x"', "two\nlines", "cr\rlf\r\n", ";", "'"]
    assert cells(json.dumps({"a": values})) == values


def test_the_output_is_csv_with_lf():
    result = run_on('{"a": "x,y", "b": 1}\n{"a": "say \\"x\\"", "b": 2}\n')
    assert result.stdout == b'a,b\n"x,y",1\n"say ""x""",2\n'


@pytest.mark.parametrize("data", ["", "\ufeff\n \t\n", "{}\n{}\n"])
def test_without_columns_the_output_is_empty(data):
    result = run_on(data)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_blank_lines_crlf_a_byte_order_mark_and_a_missing_last_line_end():
    assert flatten('\ufeff{"a": 1}\r\n\r\n \t\r\n{"a": 2}\n\n{"a": 3}') == [["a"], ["1"], ["2"], ["3"]]


def test_only_line_feeds_end_a_line():
    characters = ["\u2028", "\u2029", "\u0085", "\x7f", "\u00a0"]
    text = "".join('{"a": "x' + character + 'y"}\n' for character in characters)
    assert flatten(text) == [["a"], *([f"x{character}y"] for character in characters)]


def test_text_is_utf8_in_every_locale():
    text = '{"naïve": "Åsa", "x": "\\u20ac"}\n'
    result = run_command(text, LC_ALL="C", PYTHONCOERCECLOCALE="0", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert table(result) == [["naïve", "x"], ["Åsa", "€"]]


def test_files_are_read_in_the_order_given_with_standard_input_among_them(tmp_path):
    (tmp_path / "one file").write_text('\ufeff{"a": 1}', encoding="utf-8")
    (tmp_path / "two").write_text('\ufeff{"a": 2, "b": 0}\n', encoding="utf-8")
    result = run_command('{"a": 3}\n', "two", "-", "one file", cwd=tmp_path)
    assert table(result) == [["a", "b"], ["2", "0"], ["3", ""], ["1", ""]]
    assert result.stderr == b""


BAD_LINES = {
    "broken": [b'{"a": 1', b'{"a": 1} {"a": 2}', b"{'a': 1}", b"x"],
    "NaN and Infinity": [b'{"a": NaN}', b'{"a": [Infinity]}', b'{"a": {"b": -Infinity}}'],
    "not an object": [b'[{"a": 1}]', b"null", b'"text"', b"1"],
    "not UTF-8": [b'{"a": "caf\xe9"}', b'{"\xff": 1}'],
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_is_reported_and_left_out(kind):
    bad = BAD_LINES[kind]
    result = run_command(b'{"a": 5, "b": 1}\n\n' + b"\n".join(bad) + b'\n{"a": 6, "c": 2}\n')
    assert table(result, code=1) == [["a", "b", "c"], ["5", "1", ""], ["6", "", "2"]]
    *messages, last = result.stderr.decode("utf-8", errors="replace").splitlines()
    for number in range(3, 3 + len(bad)):
        assert any(f"-:{number}" in message for message in messages), "the message should say FILE:LINE"
    assert f"bad lines: {len(bad)}" in last


def test_bad_lines_are_numbered_in_each_file_and_counted_over_all(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{\n{"a": 2}\n1\n')
    (tmp_path / "b.jsonl").write_text('x\n{"a": 3}\n[]')
    result = run(tmp_path, "a.jsonl", "b.jsonl")
    assert table(result, code=1) == [["a"], ["1"], ["2"], ["3"]]
    *messages, last = result.stderr.decode().splitlines()
    for place in ("a.jsonl:2", "a.jsonl:4", "b.jsonl:1", "b.jsonl:3"):
        assert any(place in message for message in messages), f"no message about {place}"
    assert "bad lines: 4" in last


def test_only_bad_lines_give_an_empty_output():
    result = run_on("x\ny\n")
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"bad lines: 2" in result.stderr


def test_a_file_that_cannot_be_read_gives_exit_code_2(tmp_path):
    (tmp_path / "good").write_text('{"a": 1}\n')
    for name in ("no such file", "."):
        result = run(tmp_path, "good", name)
        assert (result.returncode, result.stdout) == (2, b""), result.stderr.decode()
        assert name in result.stderr.decode(), "the message should name the file"
        assert "Traceback" not in result.stderr.decode(), "a message is wanted, not a traceback"
