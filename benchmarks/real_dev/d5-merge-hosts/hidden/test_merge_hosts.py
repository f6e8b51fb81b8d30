import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent / "merge_hosts.sh"
BASH = shutil.which("bash") or "/bin/bash"


def run(cwd, *names, **changes):
    env = {name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LANG")}
    env.update(changes)
    return subprocess.run(
        [BASH, str(SCRIPT), *names],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=env,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )


def merge_files(cwd, *texts, **changes):
    """Run the script on files with the given contents, named 1.hosts, 2.hosts and so on."""
    names = []
    for number, text in enumerate(texts, start=1):
        names.append(f"{number}.hosts")
        (cwd / names[-1]).write_text(text, newline="")
    return run(cwd, *names, **changes)


def merged(cwd, *texts, **changes):
    return output(merge_files(cwd, *texts, **changes))


def output(result):
    assert result.returncode == 0, f"exit code {result.returncode}, stderr: {result.stderr}"
    return result.stdout.splitlines()


def conflicts(cwd, *texts):
    result = merge_files(cwd, *texts)
    assert result.returncode == 1, f"exit code {result.returncode} instead of 1, stderr: {result.stderr}"
    assert result.stdout == "", "nothing belongs on standard output"
    return result.stderr.splitlines()


def assert_refused(result, *words):
    assert result.returncode == 2, f"exit code {result.returncode} instead of 2, stderr: {result.stderr}"
    assert result.stdout == "", "nothing belongs on standard output"
    assert result.stderr.strip(), "a message belongs on standard error"
    for word in words:
        assert word in result.stderr, f"the message should contain {word!r}"


def test_names_are_grouped_by_address_and_sorted(tmp_path):
    text = "10.0.0.9 web\n10.0.0.5 db mail\n10.0.0.9 api\n10.0.0.5 backup\n"
    assert merged(tmp_path, text) == ["10.0.0.5 backup db mail", "10.0.0.9 api web"]


def test_order_is_byte_by_byte_in_every_locale(tmp_path):
    text = "10.0.0.10 a\n10.0.0.1 b_a b-a b.a ba b1\n9.0.0.1 c\nfd00::1 d\nFD00::1 e\n::1 f\n"
    expected = ["10.0.0.1 b-a b.a b1 b_a ba", "10.0.0.10 a", "9.0.0.1 c", "::1 f", "FD00::1 e", "fd00::1 d"]
    assert merged(tmp_path, text, LC_ALL="en_US.UTF-8") == expected


def test_addresses_and_names_are_text_even_if_they_look_like_numbers(tmp_path):
    assert merged(tmp_path, "1.50 7\n1.5 007\n1.5 1e1 10\n") == ["1.5 007 10 1e1", "1.50 7"]


def test_the_last_file_that_mentions_a_name_counts(tmp_path):
    result = merged(tmp_path, "10.0.0.9 db\n10.0.0.3 web\n", "10.0.0.5 db\n", "10.0.0.7 mail\n")
    assert result == ["10.0.0.3 web", "10.0.0.5 db", "10.0.0.7 mail"]


def test_the_order_of_the_arguments_decides_not_the_order_of_addresses(tmp_path):
    assert merged(tmp_path, "10.0.0.5 db\n", "10.0.0.9 db\n") == ["10.0.0.9 db"]
    assert merged(tmp_path, "10.0.0.9 db\n", "10.0.0.5 db\n") == ["10.0.0.5 db"]


def test_more_than_ten_files_are_taken_in_order(tmp_path):
    assert merged(tmp_path, *(f"10.0.0.{number} db\n" for number in range(1, 12))) == ["10.0.0.11 db"]


def test_names_of_one_line_are_decided_name_by_name(tmp_path):
    assert merged(tmp_path, "10.0.0.5 db db1 db2\n", "10.0.0.6 db1\n") == ["10.0.0.5 db db2", "10.0.0.6 db1"]


def test_names_are_the_same_in_any_case_and_printed_in_lower_case(tmp_path):
    assert merged(tmp_path, "10.0.0.5 DB Web\n", "10.0.0.6 dB\n") == ["10.0.0.5 web", "10.0.0.6 db"]
    assert merged(tmp_path, "10.0.0.5 DB db Db\n") == ["10.0.0.5 db"]


def test_the_same_address_twice_in_a_file_is_no_conflict(tmp_path):
    assert merged(tmp_path, "10.0.0.5 db db\n10.0.0.5 web DB\n") == ["10.0.0.5 db web"]


def test_a_dash_hides_what_files_before_say(tmp_path):
    assert merged(tmp_path, "10.0.0.5 db web\n10.0.0.6 mail\n", "- db mail\n") == ["10.0.0.5 web"]


def test_a_dash_does_not_hide_what_later_files_say(tmp_path):
    assert merged(tmp_path, "10.0.0.5 db\n", "- db web\n", "10.0.0.7 db\n") == ["10.0.0.7 db"]


@pytest.mark.parametrize("text", ["", "# nothing\n\n \t \n", "- db\n-\tdb mail\n"])
def test_without_names_the_output_is_empty(tmp_path, text):
    result = merge_files(tmp_path, text)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr


def test_comments_and_blanks_are_skipped(tmp_path):
    text = "# 10.0.0.1 a\n  \t10.0.0.2\t \tb c   # d\n\n10.0.0.3 e# f\n   # 10.0.0.4 g\n10.0.0.5 h #\n10.0.0.6 i \t\n"
    assert merged(tmp_path, text) == ["10.0.0.2 b c", "10.0.0.3 e", "10.0.0.5 h", "10.0.0.6 i"]


def test_lines_may_end_in_crlf_and_the_last_may_lack_its_end(tmp_path):
    result = merged(
        tmp_path, "10.0.0.5 db\r\n\r\n# x\r\n10.0.0.6 web # y\r\n10.0.0.7 mail", "10.0.0.8 db\n10.0.0.7 api"
    )
    assert result == ["10.0.0.6 web", "10.0.0.7 api mail", "10.0.0.8 db"]


def test_several_addresses_in_the_file_that_counts_are_a_conflict(tmp_path):
    text = "10.0.0.9 Web\n10.0.0.10 web\n10.0.0.9 web\n10.0.0.2 db api\n10.0.0.1 DB\n10.0.0.1 ok\n"
    assert conflicts(tmp_path, "10.0.0.3 web\n", text) == [
        "conflict: db 10.0.0.1 10.0.0.2",
        "conflict: web 10.0.0.10 10.0.0.9",
    ]


def test_an_address_and_a_dash_are_a_conflict(tmp_path):
    assert conflicts(tmp_path, "- db\n10.0.0.5 web\n10.0.0.5 db\n") == ["conflict: db - 10.0.0.5"]


@pytest.mark.parametrize("later", ["10.0.0.7 DB\n", "10.0.0.5 db\n"])
def test_a_later_file_settles_a_conflict(tmp_path, later):
    assert merged(tmp_path, "10.0.0.5 db\n10.0.0.6 db\n", later) == [later.strip().lower()]
    assert merged(tmp_path, "10.0.0.5 db\n- db\n10.0.0.4 web\n", "- db\n") == ["10.0.0.4 web"]


def test_a_file_given_twice_counts_at_both_places(tmp_path):
    (tmp_path / "a").write_text("10.0.0.1 db\n")
    (tmp_path / "b").write_text("10.0.0.2 db\n")
    assert output(run(tmp_path, "a", "b", "a")) == ["10.0.0.1 db"]
    assert output(run(tmp_path, "b", "a", "b")) == ["10.0.0.2 db"]


MALFORMED = {
    "no name": ["10.0.0.5", "-"],
    "no address": ["db 10.0.0.5", "web db", "-- db", ".5 db", "* db"],
    "not a name": ["10.0.0.5 db,web", "10.0.0.5 db/1 web", "10.0.0.5 web dä", "10.0.0.5 10.0.0.5 fd00::1"],
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_line_is_reported_with_file_and_number(tmp_path, kind):
    bad = "".join(f"{line} # x\n" for line in MALFORMED[kind])
    result = merge_files(tmp_path, "10.0.0.1 a\n", f"10.0.0.2 b\n\n{bad}10.0.0.3 c\n")
    assert_refused(result, *(f"2.hosts:{number}" for number in range(3, 3 + len(MALFORMED[kind]))))
    assert not re.search(rf"hosts:([12]|{3 + len(MALFORMED[kind])})\b", result.stderr), "good lines are reported"


def test_each_malformed_line_is_reported_and_conflicts_are_not(tmp_path):
    result = merge_files(tmp_path, "10.0.0.1\n10.0.0.2 b\n10.0.0.3", "10.0.0.2 a\n10.0.0.3 a\nx y")
    assert_refused(result, "1.hosts:1", "1.hosts:3", "2.hosts:3")
    assert "conflict: " not in result.stderr


@pytest.mark.parametrize("name", ["site=north", " two  blanks ", "-v", "a\\nb $HOME [x]*"])
def test_file_names_may_contain_anything(tmp_path, name):
    (tmp_path / name).write_text("10.0.0.2 db\n")
    (tmp_path / "base").write_text("10.0.0.1 db\n")
    assert output(run(tmp_path, "base", name)) == ["10.0.0.2 db"]
    (tmp_path / name).write_text("db\n")
    assert_refused(run(tmp_path, "base", name), f"{name}:1")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(["base", name]), "files were left behind"


def test_missing_files_and_folders_are_refused(tmp_path):
    (tmp_path / "good").write_text("10.0.0.1 db\n")
    (tmp_path / "old hosts").mkdir()
    assert_refused(run(tmp_path))
    assert_refused(run(tmp_path, "good", "not here"), "not here")
    assert_refused(run(tmp_path, "old hosts", "good"), "old hosts")
