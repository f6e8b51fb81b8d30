import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import cli
import pytest

HEADER = "id,day,project,minutes,billable,tags,invoice,note"
LOG = [
    {"id": 1, "day": "2024-05-17", "project": "harbour", "minutes": 90, "tags": ["plan", "quay"], "note": "Plan"},
    {"id": 2, "day": "2024-05-02", "project": "mill", "minutes": 45, "billable": False, "invoice": "R-12"},
    {"id": 4, "day": "2024-05-09", "project": "harbour", "minutes": -15, "note": 'ünï\ncode, "quoted"'},
    {"id": 3, "day": "2024-05-09", "project": "mill", "minutes": 30},
    {"id": 5, "day": "2024-06-01", "project": "Mill", "minutes": 10},
]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.json"
    path.write_text(json.dumps(LOG), encoding="utf-8")
    return path


@pytest.fixture
def export(log, capsys):
    """Run the command and return its standard output."""

    def run(*options, expected=0):
        code = cli.main(["--file", str(log), "export", *map(str, options)])
        printed = capsys.readouterr()
        assert code == expected, f"exit code {code}, standard error: {printed.err}"
        if expected:
            assert printed.out == "", "nothing belongs on standard output"
            assert printed.err.startswith("hours: ")
        return printed.out

    return run


def write(log, **fields):
    entry = {"id": 1, "day": "2024-05-17", "project": "harbour", "minutes": 5, **fields}
    log.write_text(json.dumps([entry]), encoding="utf-8")


def ids(text):
    return [int(row["id"]) for row in csv.DictReader(io.StringIO(text, newline=""))]


# Formats


def test_csv_is_the_default_and_written_as_described(export):
    assert export() == (
        f"{HEADER}\r\n"
        "2,2024-05-02,mill,45,no,,R-12,\r\n"
        "3,2024-05-09,mill,30,yes,,,\r\n"
        '4,2024-05-09,harbour,-15,yes,,,"ünï\ncode, ""quoted"""\r\n'
        "1,2024-05-17,harbour,90,yes,plan;quay,,Plan\r\n"
        "5,2024-06-01,Mill,10,yes,,,\r\n"
    )


def test_json_has_the_values_of_the_log(export):
    records = json.loads(export("--format", "json"))
    assert [record["id"] for record in records] == [2, 3, 4, 1, 5]
    assert records[0] == {
        "id": 2,
        "day": "2024-05-02",
        "project": "mill",
        "minutes": 45,
        "billable": False,
        "tags": [],
        "invoice": "R-12",
        "note": "",
    }
    assert records[3]["tags"] == ["plan", "quay"]
    assert records[3]["invoice"] is None


def test_json_is_indented_unescaped_and_ends_in_one_newline(export):
    text = export("--format", "json", "--project", "harbour")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"
    assert "ünï" in text


@pytest.mark.parametrize(("form", "expected"), [("csv", f"{HEADER}\r\n"), ("json", "[]\n")])
def test_nothing_to_export_is_a_success(export, form, expected):
    assert export("--format", form, "--project", "nobody") == expected


def test_a_missing_log_is_an_empty_one(export, log):
    log.unlink()
    assert export() == f"{HEADER}\r\n"


@pytest.mark.parametrize("column", ["project", "invoice", "note"])
def test_texts_like_formulas_get_a_quote_in_csv(export, log, column):
    for text in ("=1+1", "+49 40", "-note", "@SUM(A1)", "\tx", "\rx", "="):
        write(log, **{column: text})
        (row,) = csv.DictReader(io.StringIO(export(), newline=""))
        assert row[column] == "'" + text
        (record,) = json.loads(export("--format", "json"))
        assert record[column] == text


def test_tags_like_formulas_get_one_quote_before_the_cell(export, log):
    write(log, tags=["=a", "-b"])
    (row,) = csv.DictReader(io.StringIO(export(), newline=""))
    assert row["tags"] == "'=a;-b"
    write(log, tags=["a", "-b"])
    (row,) = csv.DictReader(io.StringIO(export(), newline=""))
    assert row["tags"] == "a;-b"


def test_other_texts_and_negative_minutes_get_no_quote(export, log):
    write(log, minutes=-5, note="1=1 - 'x'", project="a@b", invoice=" =x")
    (row,) = csv.DictReader(io.StringIO(export(), newline=""))
    assert (row["minutes"], row["note"], row["project"], row["invoice"]) == ("-5", "1=1 - 'x'", "a@b", " =x")


# Which entries


def test_several_projects_can_be_chosen(export):
    assert ids(export("--project", "mill")) == [2, 3]
    assert ids(export("--project", "Mill", "--project", "harbour")) == [4, 1, 5]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--since", "2024-05-09"], [3, 4, 1, 5]),
        (["--until", "2024-05-09"], [2, 3, 4]),
        (["--since", "2024-05-09", "--until", "2024-05-09"], [3, 4]),
        (["--since", "2024-05-10", "--until", "2024-05-09"], []),
    ],
)
def test_both_ends_of_the_days_are_included(export, options, expected):
    assert ids(export(*options)) == expected


def test_wrong_usage_exits_with_2(log, capsys):
    for options in (["--since", "17.05.2024"], ["--until", "2024-02-30"], ["--since", ""], ["--format", "xml"]):
        with pytest.raises(SystemExit) as caught:
            cli.main(["--file", str(log), "export", *options])
        assert caught.value.code == 2, options
        assert capsys.readouterr().out == ""


# Where to


def test_a_dash_is_standard_output(export, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert export("--output", "-") == export()
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_file_gets_what_standard_output_would_get(export, tmp_path, form):
    output = tmp_path / f"out.{form}"
    assert export("--output", output) == ""
    assert output.read_bytes() == export("--format", form).encode("utf-8")


def test_the_format_follows_the_name_of_the_file_unless_it_is_given(export, tmp_path):
    for name, options, start in (
        ("A.JSON", [], b"["),
        ("a.txt", [], b"id,"),
        ("json", [], b"id,"),
        ("b.json", ["--format", "csv"], b"id,"),
        ("b.csv", ["--format", "json"], b"["),
    ):
        export("--output", tmp_path / name, *options)
        assert (tmp_path / name).read_bytes().startswith(start), name


def test_an_existing_file_is_left_alone_without_force(export, tmp_path):
    output = tmp_path / "out.csv"
    output.write_text("precious")
    export("--output", output, expected=1)
    assert output.read_text() == "precious"
    export("--output", output, "--force")
    assert output.read_text(encoding="utf-8").startswith(HEADER)


def test_a_longer_old_file_is_replaced_as_a_whole(export, tmp_path):
    output = tmp_path / "out.json"
    output.write_text("x" * 5000)
    export("--output", output, "--project", "nobody", "--force")
    assert output.read_bytes() == b"[]\n"


def test_a_file_that_cannot_be_written_is_reported(export, tmp_path):
    export("--output", tmp_path / "nowhere" / "out.csv", expected=1)
    export("--output", tmp_path, "--force", expected=1)


def test_a_broken_log_leaves_the_output_alone(export, log, tmp_path):
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("precious")
    log.write_text("{broken")
    export("--output", old, "--force", expected=1)
    export("--output", new, expected=1)
    assert (old.read_text(), new.exists()) == ("precious", False)


def test_files_are_utf_8_in_every_locale(log, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name not in ("LANG", "PYTHONIOENCODING")}
    environment.update(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    for name in ("out.csv", "out.json"):
        command = [
            sys.executable,
            str(Path(cli.__file__)),
            "--file",
            str(log),
            "export",
            "--output",
            str(tmp_path / name),
        ]
        result = subprocess.run(command, env=environment, capture_output=True, timeout=20)
        assert result.returncode == 0, result.stderr
        assert "ünï" in (tmp_path / name).read_bytes().decode("utf-8")
