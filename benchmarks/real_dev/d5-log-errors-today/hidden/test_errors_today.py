import datetime
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent / "errors_today.sh"
BASH = shutil.which("bash") or "/bin/bash"
DAY = "2024-05-17"
TOOLS = """
    awk basename bash cat comm cp cut date dirname echo env expr false fold grep head join ls mkdir mktemp mv
    nl od paste printf pwd rm rmdir sed seq sh sort split stat tac tail tee test touch tr true uname uniq wc
"""


def run(cwd, *names, **changes):
    env = {name: value for name, value in os.environ.items() if name not in ("LOG_DATE", "TZ", "LC_ALL", "LANG")}
    env["LOG_DATE"] = DAY
    env.update(changes)
    command = [BASH, str(SCRIPT), *names]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=env,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )


def output(result):
    assert result.returncode == 0, f"exit code {result.returncode}, stderr: {result.stderr}"
    return result.stdout.splitlines()


def error(service, day=DAY, level="ERROR", message="failed"):
    return f"{day}T10:00:00Z {level:5} {service}: {message}\n"


def assert_refused(result, word=""):
    assert result.returncode == 2, f"exit code {result.returncode} instead of 2, stderr: {result.stderr}"
    assert result.stdout == "", "nothing belongs on standard output"
    assert result.stderr.strip(), "a message belongs on standard error"
    assert word in result.stderr, f"the message should contain {word!r}"


def test_counts_per_service_with_the_highest_first(tmp_path):
    log = error("auth") + error("billing") * 3 + error("mail") * 2
    (tmp_path / "a.txt").write_text(log)
    assert output(run(tmp_path, "a.txt")) == ["3 billing", "2 mail", "1 auth"]


def test_counts_are_sorted_as_numbers(tmp_path):
    (tmp_path / "a.txt").write_text(error("few") * 9 + error("many") * 10 + error("some") * 2)
    assert output(run(tmp_path, "a.txt")) == ["10 many", "9 few", "2 some"]


def test_equal_counts_are_ordered_by_name_ascending(tmp_path):
    (tmp_path / "a.txt").write_text("".join(map(error, ["mail", "auth", "zoo", "billing"])) + error("zoo"))
    assert output(run(tmp_path, "a.txt")) == ["2 zoo", "1 auth", "1 billing", "1 mail"]


@pytest.mark.parametrize("locale", ["C", "C.UTF-8", "en_US.UTF-8"])
def test_names_are_compared_byte_by_byte_in_every_locale(tmp_path, locale):
    (tmp_path / "a.txt").write_text("".join(map(error, ["b", "a_c", "B", "a-d", "a.b", "ab"])))
    expected = ["1 B", "1 a-d", "1 a.b", "1 a_c", "1 ab", "1 b"]
    assert output(run(tmp_path, "a.txt", LC_ALL=locale)) == expected


def test_other_days_do_not_count(tmp_path):
    log = error("auth", day="2024-05-16") + error("auth") + error("auth", day="2024-05-18")
    log += error("mail", day="2023-05-17", message=f"since {DAY}T10:00:00Z ERROR mail: x")
    (tmp_path / "a.txt").write_text(log)
    assert output(run(tmp_path, "a.txt")) == ["1 auth"]


def test_only_the_level_of_the_record_decides(tmp_path):
    log = error("auth", level="INFO", message="upstream said ERROR twice: ERROR billing: x")
    log += error("mail", level="WARN", message="ERROR rate is rising") + error("billing", message="INFO follows")
    (tmp_path / "a.txt").write_text(log)
    assert output(run(tmp_path, "a.txt")) == ["1 billing"]


def test_continuation_lines_and_other_lines_are_skipped(tmp_path):
    log = error("auth") + "  caused by\n  " + error("relay") + "\t" + error("relay") + "\n--- rotated ---\nERROR\n"
    (tmp_path / "a.txt").write_text(log)
    assert output(run(tmp_path, "a.txt")) == ["1 auth"]


def test_services_with_similar_names_are_kept_apart(tmp_path):
    names = ["api.v2", "api-v2", "apixv2", "api", "api.v2"]
    (tmp_path / "a.txt").write_text("".join(map(error, names)))
    assert output(run(tmp_path, "a.txt")) == ["2 api.v2", "1 api", "1 api-v2", "1 apixv2"]


def test_several_files_are_counted_together(tmp_path):
    (tmp_path / "a.txt").write_text(error("auth") + error("mail"))
    (tmp_path / "b.txt").write_text(error("mail"))
    assert output(run(tmp_path, "a.txt", "b.txt")) == ["2 mail", "1 auth"]


def test_a_last_line_without_newline_is_a_line_of_its_own(tmp_path):
    (tmp_path / "a.txt").write_text((error("auth") + error("mail")).rstrip("\n"))
    (tmp_path / "b.txt").write_text(error("mail").rstrip("\n"))
    assert output(run(tmp_path, "a.txt", "b.txt")) == ["2 mail", "1 auth"]


@pytest.mark.parametrize("name", ["web 1.txt", " two  blanks ", "a*b [x]?.txt", "it's $HOME.txt", 'say "x".txt'])
def test_names_with_blanks_and_special_characters(tmp_path, name):
    (tmp_path / name).write_text(error("right"))
    (tmp_path / "aab x.txt").write_text(error("wrong"))
    assert output(run(tmp_path, name)) == ["1 right"]


@pytest.mark.parametrize("name", ["-n", "--help", "env=prod.txt", "day=2024-05-16"])
def test_names_with_a_leading_dash_or_an_equals_sign(tmp_path, name):
    (tmp_path / name).write_text(error("auth"))
    (tmp_path / "b.txt").write_text(error("mail"))
    assert output(run(tmp_path, name, "b.txt")) == ["1 auth", "1 mail"]


@pytest.mark.parametrize("log", ["", error("auth", level="INFO"), error("auth", day="2024-05-16")])
def test_no_errors_today_prints_nothing_and_succeeds(tmp_path, log):
    (tmp_path / "a.txt").write_text(log)
    assert output(run(tmp_path, "a.txt")) == []


def test_a_missing_file_is_refused_even_after_a_good_one(tmp_path):
    (tmp_path / "a.txt").write_text(error("auth"))
    assert_refused(run(tmp_path, "a.txt", "not here.txt"), "not here.txt")


def test_a_directory_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text(error("auth"))
    (tmp_path / "old logs").mkdir()
    assert_refused(run(tmp_path, "old logs", "a.txt"), "old logs")


def test_no_argument_is_refused(tmp_path):
    assert_refused(run(tmp_path))


@pytest.mark.parametrize("value", ["17.05.2024", "2024-5-17", "today", "2024-05-17x", "2024.05.17", ".*"])
def test_a_malformed_log_date_is_refused(tmp_path, value):
    (tmp_path / "a.txt").write_text(error("auth"))
    assert_refused(run(tmp_path, "a.txt", LOG_DATE=value))


@pytest.mark.parametrize("zone", ["EAST-14", "WEST+12"])
def test_without_log_date_today_is_the_date_in_utc(tmp_path, zone):
    def utc_today():
        return datetime.date(*time.gmtime()[:3])

    before = utc_today()
    days = [before + datetime.timedelta(days=shift) for shift in (-1, 0, 1, 2)]
    (tmp_path / "a.txt").write_text("".join(error(f"on-{day}", day=day) for day in days))
    result = output(run(tmp_path, "a.txt", TZ=zone, LOG_DATE=""))
    assert result in ([f"1 on-{before}"], [f"1 on-{utc_today()}"]), "today is the date in UTC"


def test_runs_with_the_allowed_tools_only_and_leaves_no_files(tmp_path):
    tools = tmp_path / "bin"
    work = tmp_path / "work"
    temporary = tmp_path / "tmp"
    for folder in (tools, work, temporary):
        folder.mkdir()
    for name in TOOLS.split():
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    (work / "a.txt").write_text(error("auth") * 2 + error("mail"))
    result = run(work, "a.txt", PATH=str(tools), TMPDIR=str(temporary))
    assert output(result) == ["2 auth", "1 mail"]
    assert [entry.name for entry in work.iterdir()] == ["a.txt"], "the script left a file in the current directory"
    assert list(temporary.iterdir()) == [], "the script left a temporary file"
