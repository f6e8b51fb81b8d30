import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent / "manifest.sh"
BASH = shutil.which("bash") or "/bin/bash"
ODD_NAMES = [
    " two  blanks ",
    "\ttab\t",
    "a\nb",
    "\n",
    "a\\nb",
    "back\\",
    "-n",
    "--help",
    "*",
    "@",
    "[x]?",
    "it's $(echo no) `echo no`",
    'say "x"',
    "~",
    "#",
    "x]",
    ".hidden",
    "ä",
]


def run(cwd, *arguments, **changes):
    env = {name: value for name, value in os.environ.items() if name not in ("CDPATH", "LC_ALL", "LANG")}
    env.update(changes)
    return subprocess.run(
        [BASH, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        cwd=cwd,
        env=env,
        timeout=20,
        stdin=subprocess.DEVNULL,
    )


def write(cwd, folder, manifest, **changes):
    """Write the manifest and return its content."""
    result = run(cwd, "write", folder, manifest, **changes)
    assert result.returncode == 0, f"exit code {result.returncode}, stderr: {result.stderr!r}"
    assert result.stdout == b"", "write prints nothing"
    return (cwd / manifest).read_bytes()


def verify(cwd, folder, manifest, **changes):
    """Return the lines that verify prints."""
    result = run(cwd, "verify", folder, manifest, **changes)
    lines = result.stdout.decode().splitlines()
    assert result.returncode == (1 if lines else 0), f"exit code {result.returncode}, stderr: {result.stderr!r}"
    return lines


def line(content, path):
    """The line of a manifest for a path that is written as given."""
    return hashlib.sha256(content).hexdigest().encode() + b"  " + os.fsencode(path) + b"\n"


def escaped(name):
    return name.replace("\\", "\\\\").replace("\n", "\\n")


def fill(folder, **files):
    """Create files whose paths are the keyword arguments, with `__` for a slash."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


def assert_refused(result):
    assert result.returncode == 2, f"exit code {result.returncode} instead of 2, stderr: {result.stderr!r}"
    assert result.stdout == b"", "nothing belongs on standard output"
    assert result.stderr.strip(), "a message belongs on standard error"


def test_write_records_hash_and_path_of_each_file(tmp_path, store):
    fill(store, b="two", a__deep__c="", a__b="one\n")
    expected = line(b"one\n", "a/b") + line(b"", "a/deep/c") + line(b"two", "b")
    assert write(tmp_path, "store", "list") == expected


def test_lines_are_sorted_by_path_byte_by_byte(tmp_path, store):
    names = ["b", "B", "a b", "ab", "a-b", "a_b", "a/x", "a.b", "é", "z"]
    fill(store, **{name.replace("/", "__"): name for name in names})
    expected = sorted(names, key=os.fsencode)
    for locale in ("C.UTF-8", "en_US.UTF-8"):
        assert write(tmp_path, "store", "list", LC_ALL=locale) == b"".join(line(os.fsencode(n), n) for n in expected)


def test_an_empty_folder_has_an_empty_manifest(tmp_path, store):
    (store / "sub").mkdir()
    assert write(tmp_path, "store", "list") == b""
    assert verify(tmp_path, "store", "list") == []


@pytest.mark.parametrize("number", range(0, len(ODD_NAMES), 6))
def test_odd_names_are_written_as_the_format_says(tmp_path, store, number):
    names = ODD_NAMES[number : number + 6]
    for name in names:
        (store / name).write_text(f"content of {name}")
        (store / f"sub{name}").mkdir()
        (store / f"sub{name}" / name).write_text("")
    lines = [line(f"content of {name}".encode(), escaped(name)) for name in names]
    lines += [line(b"", escaped(f"sub{name}/{name}")) for name in names]
    assert write(tmp_path, "store", "list") == b"".join(sorted(lines, key=lambda entry: entry[66:-1]))


def test_odd_names_are_verified(tmp_path, store):
    for name in ODD_NAMES:
        (store / name).write_text("old")
    write(tmp_path, "store", "list")
    for name in ODD_NAMES:
        (store / name).write_text("new")
    paths = sorted(map(escaped, ODD_NAMES), key=os.fsencode)
    assert verify(tmp_path, "store", "list") == [f"changed {path}" for path in paths]


def test_bytes_that_are_not_utf8_stand_for_themselves(tmp_path, store):
    Path(os.fsdecode(os.fsencode(store) + b"/caf\xe9 \xff")).write_text("x")
    assert write(tmp_path, "store", "list", LC_ALL="C.UTF-8") == line(b"x", os.fsdecode(b"caf\xe9 \xff"))
    assert verify(tmp_path, "store", "list", LC_ALL="C.UTF-8") == []


@pytest.mark.parametrize("name", ["-store", "st*re  x", "st\nre\\", " "])
def test_folder_and_manifest_may_have_odd_names(tmp_path, name):
    fill(tmp_path / name, a="1", sub__b="2")
    manifest = f"{name}.list"
    assert write(tmp_path, name, manifest) == line(b"1", "a") + line(b"2", "sub/b")
    (tmp_path / name / "a").unlink()
    assert verify(tmp_path, name, manifest) == ["missing a"]


def test_the_form_in_which_the_folder_is_given_does_not_matter(tmp_path, store):
    fill(store, sub__a="1")
    for folder in ("./store//", "store/sub/..", store, f"{store}/"):
        assert write(tmp_path, folder, "list") == line(b"1", "sub/a"), folder
    assert write(store, ".", "../list") == line(b"1", "sub/a")


def test_a_folder_may_be_given_by_a_symbolic_link(tmp_path, store):
    fill(store, a="1")
    (tmp_path / "link").symlink_to("store")
    assert write(tmp_path, "link", "list") == line(b"1", "a")
    (store / "b").write_text("2")
    assert verify(tmp_path, "link", "list") == ["added b"]


def test_links_in_the_folder_are_neither_recorded_nor_followed(tmp_path, store):
    fill(tmp_path / "outside", x="x")
    fill(store, a="1")
    (store / "link-to-file").symlink_to("a")
    (store / "link-to-folder").symlink_to("../outside")
    (store / "link-to-nothing").symlink_to("nothing")
    os.mkfifo(store / "pipe")
    assert write(tmp_path, "store", "list") == line(b"1", "a")


@pytest.mark.parametrize("manifest", ["store/list", "./store/../store/list", "store/sub/list"])
def test_a_manifest_inside_the_folder_is_left_out(tmp_path, store, manifest):
    fill(store, sub__a="1", b="2", other__list="3")
    expected = line(b"2", "b") + line(b"3", "other/list") + line(b"1", "sub/a")
    assert write(tmp_path, "store", manifest) == expected
    assert write(tmp_path, "store", manifest) == expected, "the second time, the manifest exists already"
    assert verify(tmp_path, store, tmp_path / manifest) == []


def test_verify_reports_added_changed_and_missing_files_in_one_order(tmp_path, store):
    fill(store, a="1", c="3", e__x="5", g="7")
    write(tmp_path, "store", "list")
    (store / "c").unlink()
    (store / "g").unlink()
    fill(store, a="one", b="2", f="6", e__x="five")
    expected = ["changed a", "added b", "missing c", "changed e/x", "added f", "missing g"]
    assert verify(tmp_path, "store", "list") == expected


def test_a_file_with_the_content_of_another_is_not_confused_with_it(tmp_path, store):
    fill(store, a="same", b="same")
    write(tmp_path, "store", "list")
    (store / "b").rename(store / "c")
    assert verify(tmp_path, "store", "list") == ["missing b", "added c"]


def test_a_link_or_folder_in_place_of_a_file_counts_as_missing(tmp_path, store):
    fill(store, a="1", b="2", c="1")
    write(tmp_path, "store", "list")
    (store / "a").unlink()
    (store / "a").symlink_to("c")
    (store / "b").unlink()
    (store / "b").mkdir()
    assert verify(tmp_path, "store", "list") == ["missing a", "missing b"]


def test_a_manifest_may_lack_its_last_newline_and_be_in_any_order(tmp_path, store):
    fill(store, a="1", b="2", c="3")
    (tmp_path / "list").write_bytes((line(b"3", "c") + line(b"1", "a") + line(b"2", "b"))[:-1])
    assert verify(tmp_path, "store", "list") == []


def test_write_replaces_an_older_manifest(tmp_path, store):
    fill(store, a="1")
    (tmp_path / "list").write_text("something much longer than the new manifest\n" * 20)
    assert write(tmp_path, "store", "list") == line(b"1", "a")


def test_nothing_else_is_created_and_cdpath_plays_no_part(tmp_path, store):
    fill(tmp_path / "elsewhere" / "store", wrong="x")
    fill(store, a="1")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    changes = {"CDPATH": str(tmp_path / "elsewhere"), "TMPDIR": str(temporary)}
    assert write(tmp_path, "store", "list", **changes) == line(b"1", "a")
    assert verify(tmp_path, "store", "list", **changes) == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["elsewhere", "list", "store", "tmp"]
    assert (os.listdir(store), os.listdir(temporary)) == (["a"], [])


BAD_LINES = [
    b"hello\n",
    b"\n",
    b"0" * 64 + b" a\n",
    b"0" * 63 + b"  a\n",
    b"A" * 64 + b"  a\n",
    b"0" * 64 + b"  \n",
    b"\\" + b"0" * 64 + b"  a\\\\b\n",
    b"0" * 64 + b"  a\\tb\n",
]


def test_a_malformed_line_is_refused(tmp_path, store):
    fill(store, a="1", b="2")
    for bad in BAD_LINES:
        (tmp_path / "list").write_bytes(line(b"1", "a") + bad + line(b"0", "z"))
        assert_refused(run(tmp_path, "verify", "store", "list"))


def test_wrong_arguments_are_refused(tmp_path, store):
    write(tmp_path, "store", "list")
    wrong = [(), ("write",), ("write", "store"), ("verify", "store", "list", "x"), ("check", "store", "list")]
    wrong += [("", "store", "list"), ("verify", "missing", "list"), ("verify", "list", "list")]
    wrong += [("verify", "store", "missing"), ("verify", "store", "store"), ("write", "store", "missing/list")]
    wrong += [("write", "store", "store")]
    for arguments in wrong:
        assert_refused(run(tmp_path, *arguments))


def test_a_failed_write_keeps_the_older_manifest(tmp_path, store):
    fill(store, a="1")
    before = write(tmp_path, "store", "list")
    assert_refused(run(tmp_path, "write", "missing", "list"))
    assert (tmp_path / "list").read_bytes() == before
