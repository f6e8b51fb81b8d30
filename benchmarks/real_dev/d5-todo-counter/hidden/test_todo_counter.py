import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent / "todo_counter.py"
SMALL = {"a.py": "# TODO: one\n# FIXME: two\n", "b/c.js": "// TODO three\n", "clean.py": "x = 1\n"}


def run(*args, cwd=None):
    command = [sys.executable, "-S", str(TOOL), *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=cwd, timeout=20)


def make_tree(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return root


def lines_of(result):
    assert result.returncode == 0, f"exit code {result.returncode}, stderr: {result.stderr}"
    return result.stdout.splitlines()


def test_text_output_has_a_line_per_file_and_a_total(tmp_path):
    make_tree(tmp_path, SMALL)
    assert lines_of(run(tmp_path)) == [
        "a.py: TODO=1 FIXME=1",
        "b/c.js: TODO=1 FIXME=0",
        "total: TODO=2 FIXME=1",
    ]


def test_json_output_has_files_and_total(tmp_path):
    make_tree(tmp_path, SMALL)
    result = run("--format", "json", tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "files": [{"path": "a.py", "TODO": 1, "FIXME": 1}, {"path": "b/c.js", "TODO": 1, "FIXME": 0}],
        "total": {"TODO": 2, "FIXME": 1},
    }


def test_a_tree_without_markers_has_only_the_total_line(tmp_path):
    make_tree(tmp_path, {"a.py": "x = 1\n"})
    assert lines_of(run(tmp_path)) == ["total: TODO=0 FIXME=0"]


def test_a_tree_without_markers_has_an_empty_list_in_json(tmp_path):
    make_tree(tmp_path, {"a.py": "x = 1\n"})
    result = run("--format", "json", tmp_path)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {"files": [], "total": {"TODO": 0, "FIXME": 0}}


@pytest.mark.parametrize("text", ["TODOS", "MY_TODO", "TODO_LATER", "FIXME2", "todo", "Fixme", "XFIXME"])
def test_a_marker_inside_a_longer_word_or_in_lower_case_does_not_count(tmp_path, text):
    make_tree(tmp_path, {"a.py": f"value = {text} + 1\n", "b.py": "# TODO\n"})
    assert lines_of(run(tmp_path)) == ["b.py: TODO=1 FIXME=0", "total: TODO=1 FIXME=0"]


def test_punctuation_next_to_a_marker_does_not_matter(tmp_path):
    make_tree(tmp_path, {"a.py": "#TODO: a\n(TODO)\nTODO(ana) b\n//FIXME, c\nlast-FIXME"})
    assert lines_of(run(tmp_path))[0] == "a.py: TODO=3 FIXME=2"


def test_every_marker_on_a_line_counts(tmp_path):
    make_tree(tmp_path, {"a.py": "# TODO one, TODO two, FIXME three\n"})
    assert lines_of(run(tmp_path))[0] == "a.py: TODO=2 FIXME=1"


def test_ignored_names_are_not_entered_at_any_depth(tmp_path):
    make_tree(
        tmp_path,
        {
            "build/a.py": "TODO",
            "src/build/b.py": "TODO",
            "out/c.py": "TODO",
            "builder/d.py": "TODO",
            "e.py": "TODO",
        },
    )
    assert lines_of(run("--ignore", "build", "--ignore", "out", tmp_path)) == [
        "builder/d.py: TODO=1 FIXME=0",
        "e.py: TODO=1 FIXME=0",
        "total: TODO=2 FIXME=0",
    ]


def test_the_standard_ignored_names_hold_with_and_without_the_option(tmp_path):
    names = [".git", "node_modules", "__pycache__"]
    make_tree(tmp_path, {f"pkg/{name}/x.txt": "TODO" for name in names})
    make_tree(tmp_path, {"build/y.txt": "TODO", "z.txt": "TODO"})
    assert lines_of(run(tmp_path))[-1] == "total: TODO=2 FIXME=0"
    assert lines_of(run("--ignore", "build", tmp_path))[-1] == "total: TODO=1 FIXME=0"


def test_a_file_with_an_ignored_name_is_still_counted(tmp_path):
    make_tree(tmp_path, {"build": "TODO", "src/build": "FIXME"})
    assert lines_of(run("--ignore", "build", tmp_path))[-1] == "total: TODO=1 FIXME=1"


def test_the_root_is_scanned_whatever_its_path_is_called(tmp_path):
    root = make_tree(tmp_path / "node_modules" / "build", {"a.py": "TODO"})
    assert lines_of(run("--ignore", "build", root))[-1] == "total: TODO=1 FIXME=0"
    assert lines_of(run("--ignore", "build", ".", cwd=root))[-1] == "total: TODO=1 FIXME=0"


def test_symbolic_links_are_skipped(tmp_path):
    outside = make_tree(tmp_path / "outside", {"far.py": "FIXME"})
    root = make_tree(tmp_path / "root", {"src/a.py": "TODO"})
    os.symlink("a.py", root / "src" / "again.py")
    os.symlink(outside, root / "linked")
    os.symlink(root, root / "src" / "loop")
    os.symlink("nowhere", root / "broken")
    assert lines_of(run(root)) == ["src/a.py: TODO=1 FIXME=0", "total: TODO=1 FIXME=0"]


def test_binary_files_are_skipped(tmp_path):
    make_tree(tmp_path, {"logo.bin": b"TODO FIXME " + b"x" * 20000 + b"\0", "a.py": "TODO"})
    assert lines_of(run(tmp_path)) == ["a.py: TODO=1 FIXME=0", "total: TODO=1 FIXME=0"]


def test_bytes_that_are_not_utf8_do_not_hide_the_markers(tmp_path):
    make_tree(tmp_path, {"old.txt": b"caf\xe9\n# TODO caf\xe9\nFIXME\n"})
    assert lines_of(run(tmp_path))[0] == "old.txt: TODO=1 FIXME=1"


def test_files_are_sorted_by_their_path_as_strings(tmp_path):
    make_tree(tmp_path, dict.fromkeys(["b.py", "a/z.py", "a.py", "a/b/c.py", "B.py", "a-b/q.py"], "TODO"))
    expected = ["B.py", "a-b/q.py", "a.py", "a/b/c.py", "a/z.py", "b.py"]
    assert [line.split(":")[0] for line in lines_of(run(tmp_path))] == [*expected, "total"]
    report = json.loads(run("--format", "json", tmp_path).stdout)
    assert [entry["path"] for entry in report["files"]] == expected


def test_more_markers_than_the_maximum_give_exit_code_1_and_the_usual_output(tmp_path):
    make_tree(tmp_path, {"a.py": "TODO TODO FIXME"})
    result = run("--max", "2", tmp_path)
    assert result.returncode == 1, result.stderr
    assert result.stdout.splitlines() == ["a.py: TODO=2 FIXME=1", "total: TODO=2 FIXME=1"]


def test_exactly_the_maximum_is_allowed_and_the_maximum_may_be_zero(tmp_path):
    make_tree(tmp_path, {"a.py": "TODO TODO FIXME"})
    assert run("--max", "3", tmp_path).returncode == 0, "3 markers are not more than 3"
    assert run("--max", "0", tmp_path).returncode == 1, "3 markers are more than 0"


@pytest.mark.parametrize("name", ["missing", "file.py"])
def test_a_root_that_is_not_a_directory_gives_exit_code_2(tmp_path, name):
    make_tree(tmp_path, {"file.py": "TODO"})
    result = run(tmp_path / name)
    assert result.returncode == 2, "ROOT has to be a directory"
    assert result.stdout == "", "nothing belongs on standard output"
    assert name in result.stderr, "the message should name ROOT"
    assert "Traceback" not in result.stderr, "a message is wanted, not a traceback"
