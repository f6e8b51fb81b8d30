import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent / "rotate_backups.sh"
BASH = shutil.which("bash") or "/bin/bash"
FRIDAY = "2024-05-17"
NOTHING = ("--daily", "0", "--weekly", "0", "--monthly", "0")
SUMMER_TIME = "EST5EDT,M3.2.0,M11.1.0"


def run(cwd, *arguments, **changes):
    env = {name: value for name, value in os.environ.items() if name not in ("ROTATE_TODAY", "TZ", "LC_ALL", "LANG")}
    env.update({"ROTATE_TODAY": FRIDAY, **changes})
    return subprocess.run(
        [BASH, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=env,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )


def archive(date, name="web"):
    return f"{name}_{date}.tar.gz"


def fill(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("packed")
    return folder


def listing(folder):
    return sorted(entry.name for entry in folder.iterdir())


def rotate(folder, *options, **changes):
    """Run the script on the folder and return the names that are left."""
    before = listing(folder)
    result = run(folder.parent, *options, folder, **changes)
    assert result.returncode == 0, f"exit code {result.returncode}, stderr: {result.stderr}"
    left = listing(folder)
    gone = sorted((name for name in before if name not in left), key=os.fsencode)
    assert result.stdout.splitlines() == [f"remove {name}" for name in gone], "output and removed files differ"
    return left


def kept(tmp_path, dates, *options, **changes):
    """Return which of the backups of the set `web` are left."""
    folder = fill(tmp_path / "store", *map(archive, dates))
    return [name[4:14] for name in rotate(folder, *options, **changes)]


def assert_refused(result):
    assert result.returncode == 2, f"exit code {result.returncode} instead of 2, stderr: {result.stderr}"
    assert result.stdout == "", "nothing belongs on standard output"
    assert result.stderr.strip(), "a message belongs on standard error"


def test_daily_keeps_the_last_days_with_today(tmp_path):
    dates = ["2024-05-13", "2024-05-14", "2024-05-15", "2024-05-16", "2024-05-17"]
    assert kept(tmp_path, dates, "--daily", "3", "--weekly", "0", "--monthly", "0") == dates[2:]


def test_weekly_keeps_the_latest_backup_of_each_week_from_monday_to_sunday(tmp_path):
    dates = ["2024-04-28", "2024-04-29", "2024-05-04", "2024-05-06", "2024-05-12", "2024-05-13", "2024-05-14"]
    expected = ["2024-05-04", "2024-05-12", "2024-05-14"]
    assert kept(tmp_path, dates, "--daily", "0", "--weekly", "3", "--monthly", "0") == expected


def test_weeks_are_counted_across_new_year(tmp_path):
    dates = ["2024-12-19", "2024-12-22", "2024-12-24", "2024-12-29", "2024-12-31", "2025-01-01"]
    expected = ["2024-12-22", "2024-12-29", "2025-01-01"]
    options = ("--daily", "0", "--weekly", "3", "--monthly", "0")
    assert kept(tmp_path, dates, *options, ROTATE_TODAY="2025-01-02") == expected


def test_monthly_keeps_the_earliest_backup_of_each_month(tmp_path):
    dates = ["2024-02-01", "2024-03-02", "2024-03-31", "2024-04-08", "2024-04-09", "2024-05-03", "2024-05-04"]
    expected = ["2024-03-02", "2024-04-08", "2024-05-03", "2024-05-04"]
    assert kept(tmp_path, dates, "--daily", "0", "--weekly", "0", "--monthly", "3") == expected


def test_months_are_counted_across_new_year(tmp_path):
    dates = ["2023-02-14", "2023-10-01", "2023-11-05", "2023-12-30", "2024-01-02", "2024-02-03"]
    options = ("--daily", "0", "--weekly", "0", "--monthly", "4")
    assert kept(tmp_path, dates, *options, ROTATE_TODAY="2024-02-10") == dates[2:]


def test_without_options_seven_days_four_weeks_and_six_months_are_kept(tmp_path):
    dates = [f"2024-{month:02}-{day:02}" for month in range(1, 6) for day in range(1, 29)]
    dates = [*(f"2023-{month:02}-15" for month in (10, 11, 12)), *(date for date in dates if date <= FRIDAY)]
    expected = ["2023-12-15", *(f"2024-{month:02}-01" for month in range(1, 6)), "2024-04-28", "2024-05-05"]
    expected += [f"2024-05-{day}" for day in range(11, 18)]
    assert kept(tmp_path, dates) == sorted(expected)


def test_the_latest_backup_of_a_set_is_always_kept(tmp_path):
    folder = fill(tmp_path / "store", archive("2021-03-01"), archive("2021-03-09"), archive("2019-11-30", "mail"))
    assert rotate(folder) == [archive("2019-11-30", "mail"), archive("2021-03-09")]


def test_each_set_is_thinned_out_by_itself(tmp_path):
    names = [archive(date, name) for name in ("web", "web_old") for date in ("2024-05-13", "2024-05-14")]
    names += [archive("2024-05-12", "mail"), archive("2024-05-15", "mail")]
    folder = fill(tmp_path / "store", *names)
    expected = [archive("2024-05-15", "mail"), archive("2024-05-14"), archive("2024-05-14", "web_old")]
    assert rotate(folder, "--daily", "0", "--weekly", "1", "--monthly", "0") == expected


def test_backups_after_today_are_kept_and_play_no_part(tmp_path):
    dates = ["2024-05-14", "2024-05-15", "2024-05-18", "2024-06-30"]
    assert kept(tmp_path, dates, "--daily", "0", "--weekly", "1", "--monthly", "0") == dates[1:]


def test_backups_after_today_do_not_replace_the_latest_one(tmp_path):
    dates = ["2023-01-01", "2023-01-02", "2025-01-01"]
    assert kept(tmp_path, dates, *NOTHING) == dates[1:]


def test_the_date_of_the_backup_is_the_last_one_in_the_name(tmp_path):
    old, new = archive("2024-01-15", "release_2024-05-16"), archive("2024-05-16", "release_2024-05-16")
    folder = fill(tmp_path / "store", old, new, archive("2024-05-15", "release_2020-01-01"))
    left = rotate(folder, "--daily", "3", "--weekly", "0", "--monthly", "0")
    assert left == [archive("2024-05-15", "release_2020-01-01"), new]


def test_the_time_of_the_file_does_not_count(tmp_path):
    folder = fill(tmp_path / "store", archive("2024-05-01"), archive("2024-05-17"))
    os.utime(folder / archive("2024-05-17"), (1e9, 1e9))
    assert rotate(folder, "--daily", "3", "--weekly", "0", "--monthly", "0") == [archive("2024-05-17")]


@pytest.mark.parametrize("name", ["  a*b  [x]? ", 'it\'s "$HOME"]', "back\\slash ä", "-rf"])
def test_names_of_sets_may_contain_anything(tmp_path, name):
    folder = fill(tmp_path / "store", archive("2024-05-01", name), archive("2024-05-02", name))
    fill(folder, archive("2024-05-01", "aab x"))
    assert rotate(folder, *NOTHING) == sorted([archive("2024-05-02", name), archive("2024-05-01", "aab x")])


@pytest.mark.parametrize("name", ["st*re no 1", "-store"])
def test_names_of_the_folder_may_contain_anything(tmp_path, name):
    folder = fill(tmp_path / name, archive("2024-05-01"), archive("2024-05-02"))
    fill(tmp_path / "stare", archive("2024-05-01"))
    result = run(tmp_path, *NOTHING, "--", name)
    assert (result.returncode, result.stdout) == (0, f"remove {archive('2024-05-01')}\n"), result.stderr
    assert (listing(folder), listing(tmp_path / "stare")) == ([archive("2024-05-02")], [archive("2024-05-01")])


OTHER_FILES = [
    "web_2024-01-01.tar.gz.sha256",
    "web_2024-01-01.tar",
    "web_2024-1-1.tar.gz",
    "web-2024-01-01.tar.gz",
    "web_2024-13-01.tar.gz",
    "web_2023-02-29.tar.gz",
    "web_2024-04-31.tar.gz",
    "web_2024-01-00.tar.gz",
    "_2024-01-01.tar.gz",
    ".web_2024-01-01.tar.gz",
    "web_2024-01-01xtar.gz",
    "notes.txt",
]


def test_other_files_stay(tmp_path):
    names = [*OTHER_FILES, archive("2024-03-01"), archive("2024-03-01", ".web")]
    folder = fill(tmp_path / "store", archive("2024-02-01"), *names)
    assert rotate(folder, *NOTHING) == sorted(names)


def test_links_and_folders_and_what_is_in_them_stay(tmp_path):
    folder = fill(tmp_path / "store", archive("2024-05-16"), archive("2024-05-17"))
    (folder / archive("2024-05-01")).symlink_to(archive("2024-05-17"))
    (folder / archive("2024-05-02")).symlink_to("nowhere")
    fill(folder / archive("2024-05-03"), archive("2024-01-01"), archive("2024-01-02"))
    expected = [archive(f"2024-05-{day}") for day in ("01", "02", "03", "17")]
    assert rotate(folder, *NOTHING) == expected
    assert len(listing(folder / archive("2024-05-03"))) == 2


def test_dry_run_prints_the_same_and_removes_nothing(tmp_path):
    names = [archive("2024-05-01", name) for name in ("b", "B", "a b", "ab", "a-b")]
    folder = fill(tmp_path / "store", *names, *(name.replace("05-01", "05-02") for name in names))
    before = listing(folder)
    dry = run(tmp_path, "--dry-run", *NOTHING, folder)
    assert dry.returncode == 0, dry.stderr
    assert listing(folder) == before
    assert dry.stdout.splitlines() == [f"remove {name}" for name in sorted(names)]
    assert run(tmp_path, *NOTHING, folder).stdout == dry.stdout
    assert len(listing(folder)) == 5


def test_a_change_to_summer_time_plays_no_part(tmp_path):
    dates = ["2024-03-01", "2024-03-04", "2024-03-05", "2024-03-10", "2024-03-11"]
    options = ("--daily", "7", "--weekly", "0", "--monthly", "0")
    assert kept(tmp_path, dates, *options, TZ=SUMMER_TIME, ROTATE_TODAY="2024-03-11") == dates[2:]


def test_leading_zeros_of_numbers_mean_nothing(tmp_path):
    dates = [f"2024-05-{day:02}" for day in range(1, 18)]
    assert kept(tmp_path, dates, "--daily", "0010", "--weekly", "00", "--monthly", "0") == dates[-10:]
    assert kept(tmp_path, dates, "--daily", "08", "--weekly", "00", "--monthly", "0") == dates[-8:]


@pytest.mark.parametrize("zone", ["EAST-14", "WEST+12"])
def test_without_rotate_today_today_is_the_date_in_utc(tmp_path, zone):
    def shifted(days):
        return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400))

    options = ("--daily", "1", "--weekly", "0", "--monthly", "0")
    before = shifted(0)
    left = kept(tmp_path, [shifted(day) for day in (-2, -1, 0, 1, 2)], *options, TZ=zone, ROTATE_TODAY="")
    assert left[0] in (before, shifted(0))


WRONG_USAGE = {
    "not one folder": [(), ("store", "store"), ("store", "--dry-run")],
    "not a folder": [("missing",), ("store/notes.txt",)],
    "unknown option": [("--hourly", "3", "store"), ("-store",)],
    "wrong number": [
        ("--daily", "store"),
        ("--daily", "", "store"),
        ("--weekly", "-1", "store"),
        ("--monthly", "1.5", "store"),
        ("--daily", "12345", "store"),
    ],
}


@pytest.mark.parametrize("kind", WRONG_USAGE)
def test_wrong_usage_is_refused_and_removes_nothing(tmp_path, kind):
    names = ["notes.txt", archive("2020-01-01"), archive("2020-01-02")]
    for name in ("store", "-store"):
        fill(tmp_path / name, *names)
    for arguments in WRONG_USAGE[kind]:
        assert_refused(run(tmp_path, *arguments))
    assert listing(tmp_path / "store") == names


def test_a_rotate_today_that_is_no_date_is_refused(tmp_path):
    folder = fill(tmp_path / "store", archive("2020-01-01"), archive("2020-01-02"))
    for today in ["17.05.2024", "2024-5-17", "2024-02-30", "yesterday", "2024-05-17 "]:
        assert_refused(run(tmp_path, folder, ROTATE_TODAY=today))
    assert len(listing(folder)) == 2
